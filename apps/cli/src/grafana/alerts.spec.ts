import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { ROOT } from '../repository.js'
import { RULE_GROUPS, type AlertRule } from './alerts.js'
import { runbookOf } from './files.js'
import { RULE_FILE, RUNBOOK_DIR } from './paths.js'
import { builtPromtool } from './promtool.js'

const TESTS = join(dirname(RULE_FILE), 'posthorn-alerts.test.yaml')
const promtool = builtPromtool()
if (promtool === undefined)
  process.stderr.write(
    '\n*** THE ALERT RULES ARE NOT CHECKED: promtool is not built; npm test builds it with Go. ***\n\n',
  )
const checked = promtool === undefined ? it.skip : it

const alerts = RULE_GROUPS.flatMap(({ rules }) => rules).filter((rule): rule is AlertRule => 'alert' in rule)
const names = [...new Set(alerts.map(({ alert }) => alert))].sort()

function run(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(promtool!, args, { cwd: dirname(RULE_FILE) }, (error, out, err) =>
      error ? reject(new Error(`${out}\n${err}`)) : resolve(out),
    ),
  )
}

describe('S14 alert rules', () => {
  checked('S14 are taken by promtool, with nothing to remark', async () => {
    expect(await run('check', 'rules', '--lint=all', '--lint-fatal', RULE_FILE)).toContain('SUCCESS')
  })

  checked(
    'S14 fire and end as their tests say',
    async () => {
      expect(await run('test', 'rules', TESTS)).toContain('SUCCESS')
    },
    120_000,
  )

  it('S14 are each fired by a test, and each has a test in which it stays silent', () => {
    interface Case {
      readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples?: readonly object[] }[]
    }
    const { tests } = parse(readFileSync(TESTS, 'utf8')) as { tests: readonly Case[] }
    const named = (fires: boolean) =>
      tests
        .flatMap(({ promql_expr_test: of }) => of)
        .filter(({ exp_samples: samples }) => (samples !== undefined) === fires)
        .map(({ expr }) => /alertname="(\w+)"/.exec(expr)![1]!)
    expect([...new Set(named(true))].sort()).toEqual(names)
    expect([...new Set(named(false))].sort()).toEqual(names)
  })

  it('S14 have a page each that says what it means, where to look and what to do', () => {
    expect(readdirSync(RUNBOOK_DIR).sort()).toEqual(['README.md', ...names.map(runbookOf)].sort())
    const index = readFileSync(join(RUNBOOK_DIR, 'README.md'), 'utf8')
    for (const name of names) {
      const page = readFileSync(join(RUNBOOK_DIR, runbookOf(name)), 'utf8')
      expect(page).toMatch(new RegExp(`^# ${name}\n`))
      for (const heading of ['## Means', '## Look', '## Do'])
        expect([name, page]).toEqual([name, expect.stringContaining(heading)])
      expect(index).toContain(`(${runbookOf(name)})`)
    }
  })

  it('S14 ask nothing that only customers decide: outcomes, classes of failures, circuits, what was refused', () => {
    const customers = /outcome=|class=|dead_letters|circuits|webhooks_failing|result=~?"[^"]*\brefused\b/
    expect(alerts.filter(({ expr }) => customers.test(expr)).map(({ alert }) => alert)).toEqual([])
  })

  it('S14 name their page in the repository', () => {
    const { groups } = parse(readFileSync(RULE_FILE, 'utf8')) as { groups: { rules: AlertRule[] }[] }
    const named = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined)
    for (const { alert, annotations } of named)
      expect(readFileSync(join(ROOT, annotations.runbook!), 'utf8')).toContain(alert)
  })
})
