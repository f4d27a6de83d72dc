export type EmbeddedFaultCode =
  | 'java_missing'
  | 'maven_missing'
  | 'port_taken'
  | 'disk_full'
  | 'download_failed'
  | 'folder_unreachable'
  | 'platform_unsupported'
  | 'already_running'
  | 'kafka_failed'
  | 'postgres_failed'

/** Kafka or Postgres cannot be started here; the message says what is missing and how to get it. */
export class EmbeddedFault extends Error {
  constructor(
    readonly code: EmbeddedFaultCode,
    message: string,
  ) {
    super(message)
    this.name = 'EmbeddedFault'
  }
}
