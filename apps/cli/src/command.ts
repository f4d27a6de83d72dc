import type { Progress } from '@posthorn/embedded'

/** What main.ts gives to a command. */
export interface CommandContext {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; the command then ends what it started and returns. */
  readonly stop: AbortSignal
  /** One line for a person, on stderr. */
  readonly say: Progress
}

/** The same, for commands that answer on stdout and read settings. */
export interface Terminal extends CommandContext {
  /** A line, or lines, on stdout: the answer, and nothing else. */
  readonly print: (text: string) => void
  readonly env: NodeJS.ProcessEnv
}

export interface Command {
  /** What follows its name. */
  readonly usage: string
  readonly does: string
  /** Whole lines, without `posthorn` in front. */
  readonly examples: readonly string[]
  /** Answers --help itself, at each of its levels. */
  readonly helps: boolean
  /** Resolves with the exit status. Throws UsageError for arguments that make no sense. */
  run(args: readonly string[], terminal: Terminal): Promise<number>
}

/** The arguments make no sense; answered by the usage and status 2. */
export class UsageError extends Error {
  /** `usage` is that of the level at fault; without it, of the whole program. */
  constructor(
    message: string,
    readonly usage?: string,
  ) {
    super(message)
  }
}

/** Something a person has to change first; the message says what, and no stack is of use. */
export class CommandFault extends Error {}

/** `work`, or a rejection once a person has stopped it: for work that ends nothing when it is left alone. */
export function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason as Error), { once: true })
  })
  return Promise.race([work, stopped])
}
