import { trace } from '@opentelemetry/api'
import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const stderr = (): DestinationStream => pino.destination({ fd: 2, sync: false })

/** JSON lines, on stderr unless said (stdout belongs to what a command prints for its user); secrets by name are cut out. */
export function createLogger(level: LogLevel, name: string, to: DestinationStream = stderr()): Logger {
  return pino(
    {
      level,
      name,
      redact: {
        paths: ['secret', 'key', 'authorization', '*.secret', '*.key', '*.authorization', 'headers.authorization'],
        censor: '[redacted]',
      },
      serializers: { err: describeError },
      mixin: traceIds,
    },
    to,
  )
}

/** Of the request that a line is about, where it is recorded. */
function traceIds(): object {
  const span = trace.getActiveSpan()
  if (!span?.isRecording()) return {}
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}

const WITH_VALUES = ['detail', 'where', 'internalQuery']

/**
 * An error without the objects that libraries hang on it: pg adds its whole client, 5 KB with the
 * key that cancels its queries. Type, message, stack (with those of its causes) and plain values stay,
 * but for those in which Postgres repeats the values of the row at fault.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { type, message, stack } = stdSerializers.err(error)
  const plain = Object.entries(error).filter(
    ([name, value]) => !WITH_VALUES.includes(name) && (value === null || typeof value !== 'object'),
  )
  return { ...Object.fromEntries(plain), type, message, stack }
}
