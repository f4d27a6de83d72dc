import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ROOT } from './repository.js'

/** SPDX ids that ask for nothing but the notice that comes with the package. */
const ALLOWED = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'])

/** What has another licence, and why it may stay. An expression such as "(MIT OR GPL-3.0)" stands here, too. */
const EXCEPTIONS: Readonly<Record<string, { readonly licence: string; readonly reason: string }>> = {
  nodemailer: { licence: 'MIT-0', reason: 'MIT without even the condition to keep the notice' },
  argparse: { licence: 'Python-2.0', reason: 'permissive: notices are kept, and it is used unchanged, below js-yaml' },
}

interface Locked {
  readonly dev?: boolean
  readonly link?: boolean
  readonly license?: string
}

const INSTALLED = 'node_modules/'
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, Locked>>
}
/** Optional ones of other platforms are among them: the image is built for more than one. */
const production = Object.entries(packages)
  .filter(([path, { dev, link }]) => path.includes(INSTALLED) && !dev && !link)
  .map(([path, { license }]) => ({ path, licence: license ?? 'none', name: path.split(INSTALLED).at(-1)! }))

describe('The licences of what is installed without devDependencies', () => {
  it('are allowed, or named with a reason', () => {
    expect(production.length).toBeGreaterThan(200)
    const refused = production.filter(
      ({ name, licence }) => !ALLOWED.has(licence) && EXCEPTIONS[name]?.licence !== licence,
    )
    expect(refused).toEqual([])
  })

  it('are those that the packages themselves declare', () => {
    const declared = production.flatMap(({ path, licence }) => {
      const own = licenceOf(join(ROOT, path, 'package.json'))
      return own === undefined || own === licence ? [] : [{ path, locked: licence, own }]
    })
    expect(declared).toEqual([])
  })

  it('have no exception that is not needed', () => {
    const used = production.filter(({ licence }) => !ALLOWED.has(licence)).map(({ name }) => name)
    expect(Object.keys(EXCEPTIONS).filter(name => !used.includes(name))).toEqual([])
  })
})

/** Undefined for a package of another platform, which is not there. */
function licenceOf(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { license?: string }).license ?? 'none'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
