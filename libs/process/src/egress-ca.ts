import { X509Certificate } from 'node:crypto'
import { readNamedFile } from './secret-files.js'

const VARIABLE = 'POSTHORN_EGRESS_CA_FILE'

/** The certificates of the file; undefined without one, and with a problem when it is not usable. */
export function readEgressCa(path: string | undefined, problems: string[]): string | undefined {
  if (path === undefined) return undefined
  const text = readNamedFile(VARIABLE, path, problems)
  if (text === undefined) return undefined
  try {
    new X509Certificate(text)
    return text
  } catch {
    problems.push(`${VARIABLE}: ${path} does not hold a certificate in PEM.`)
    return undefined
  }
}
