import type { Progress } from '@posthorn/embedded'

/** What main.ts gives to a command. */
export interface CommandContext {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; the command then ends what it started and returns. */
  readonly stop: AbortSignal
  /** One line for a person, on stderr. */
  readonly say: Progress
}

export interface Command {
  /** As after `npm run <name> --`. */
  readonly usage: string
  readonly does: string
  /** Resolves with the exit status. Throws UsageError for arguments that make no sense. */
  run(args: readonly string[], context: CommandContext): Promise<number>
}

/** The arguments make no sense; answered by the usage and status 2. */
export class UsageError extends Error {}

/** Something a person has to change first; the message says what, and no stack is of use. */
export class CommandFault extends Error {}
