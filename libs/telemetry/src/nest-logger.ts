import type { Logger } from './logger.js'

/** Nest's log calls through ours: `(message, ...context)`, the last string being the context's name. */
export class NestLogger {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    // Nest's start-up chatter is of no use to an operator at info.
    this.logger.debug({ context: rest.at(-1) }, String(message))
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error(
      {
        context: rest.at(-1),
        err: message instanceof Error ? message : undefined,
        stack: rest.length > 1 ? rest[0] : undefined,
      },
      String(message),
    )
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn({ context: rest.at(-1) }, String(message))
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ context: rest.at(-1) }, String(message))
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.trace({ context: rest.at(-1) }, String(message))
  }
}
