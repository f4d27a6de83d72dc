import type { Logger } from '@posthorn/telemetry'
import kafkajs, { type LogEntry, type logCreator, type logLevel } from 'kafkajs'

/** The same line of kafkajs is passed on once in this time: a broker that is away makes one per retry. */
const REPEAT_MS = 10_000

export interface LogBridge {
  readonly creator: logCreator
  readonly level: logLevel
  /** When kafkajs last complained, ms of performance.now(); -Infinity if never. */
  troubledAt(): number
}

/**
 * kafkajs logs through ours, a level lower: what it calls an error is mostly a retry, and what is
 * an error to us is logged where it is handled.
 */
export function bridgeLogs(logger: Logger): LogBridge {
  let troubledAt = -Infinity
  const seen = new Map<string, number>()
  const isRepeat = (message: string): boolean => {
    const now = performance.now()
    if (now - (seen.get(message) ?? -Infinity) < REPEAT_MS) return true
    if (seen.size > 100) seen.clear()
    seen.set(message, now)
    return false
  }
  const { ERROR, WARN, INFO, DEBUG } = kafkajs.logLevel
  const creator: logCreator = () => (entry: LogEntry) => {
    const { message, timestamp: _timestamp, logger: _library, ...fields } = entry.log
    if (entry.level <= WARN) troubledAt = performance.now()
    if (entry.level <= WARN && isRepeat(`${entry.namespace} ${message}`)) return
    const bound = { kafkajs: entry.namespace, ...fields }
    if (entry.level === ERROR) logger.warn(bound, message)
    else if (entry.level === WARN) logger.info(bound, message)
    else if (entry.level === INFO) logger.debug(bound, message)
    else logger.trace(bound, message)
  }
  const level = logger.isLevelEnabled('trace') ? DEBUG : logger.isLevelEnabled('debug') ? INFO : WARN
  return { creator, level, troubledAt: () => troubledAt }
}
