import { pino, type Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** JSON lines on stderr (stdout belongs to what a command prints for its user); secrets by name are cut out. */
export function createLogger(level: LogLevel, name: string): Logger {
  return pino(
    {
      level,
      name,
      redact: {
        paths: ['secret', 'key', 'authorization', '*.secret', '*.key', '*.authorization', 'headers.authorization'],
        censor: '[redacted]',
      },
    },
    pino.destination({ fd: 2, sync: false }),
  )
}
