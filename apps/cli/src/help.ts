import { UsageError, type Command } from './command.js'
import { COMMANDS } from './commands.js'

const HEAD = `posthorn <command> [options]

In a clone: npm start, npm test, npm run up -- --json; all of them by node apps/cli/setup.mjs <command>.
Exit status: 0 done; 1 a check failed, or the API answered an error; 2 the arguments make no sense.`

const EXAMPLES = [
  'doctor',
  "webhooks create --url https://example.com/hook --events 'agent.*'",
  `events publish --type agent.created --data '{"agent": "a1"}'`,
  'deliveries list --status pending --json',
]

/** Throws UsageError when there is no such command. */
export function commandOf(name: string | undefined): Command {
  if (name === undefined) throw new UsageError('A command is missing.')
  if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`There is no command "${name}".`)
  return COMMANDS[name]!
}

/** What --help asks for, unless the command answers it itself. */
export function helpFor(name: string | undefined, args: readonly string[]): string | undefined {
  if (name === '--help' || name === '-h' || name === 'help') return programHelp()
  if (!args.includes('--help') && !args.includes('-h')) return undefined
  const command = commandOf(name)
  return command.helps ? undefined : commandHelp(name!, command)
}

/** What an error of usage is followed by. */
export function usageFor(name: string | undefined): string {
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? commandHelp(name, COMMANDS[name]!) : programHelp()
}

function programHelp(): string {
  const lines = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(14)}${does}`)
  const examples = EXAMPLES.map(example => `  posthorn ${example}`)
  return [
    HEAD,
    '',
    ...lines,
    '',
    'examples:',
    ...examples,
    '',
    'posthorn <command> --help says more; so does docs/cli.md.',
  ].join('\n')
}

function commandHelp(name: string, { usage, does, examples }: Command): string {
  return [
    `usage: posthorn ${name} ${usage}`.trimEnd(),
    '',
    `${does.charAt(0).toUpperCase()}${does.slice(1)}.`,
    ...(examples.length === 0 ? [] : ['', 'examples:', ...examples.map(example => `  posthorn ${example}`)]),
  ].join('\n')
}
