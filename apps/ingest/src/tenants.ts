import { ApiError } from '@posthorn/api'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import { decodeTenant, TENANTS, type Tenant } from '@posthorn/topics'

/** Exists in every deployment, also before the registry has said so. */
const DEFAULT_TENANT = 'default'

/** The tenants, from their compacted topic: publishing goes on while the database is down. */
export class Tenants {
  private readonly follower: TableFollower<Tenant>

  constructor(connection: KafkaConnection, options: { fatal(error: Error): void }) {
    this.follower = new TableFollower<Tenant>(connection, {
      topic: TENANTS,
      decode: decodeTenant,
      fatal: options.fatal,
    })
  }

  /** Resolves when the table was read to its end. */
  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  /** Resolves when the registry has published all that it has. */
  get whole(): Promise<void> {
    return this.follower.whole
  }

  readiness(): string | undefined {
    return this.follower.isCaughtUp ? undefined : 'is reading the tenants'
  }

  /** Throws ApiError starting or tenant_not_found. */
  require(tenant: string): void {
    if (!this.follower.isCaughtUp) throw new ApiError('starting', 'The tenants are still being read.')
    if (this.has(tenant)) return
    if (!this.follower.isWhole) throw new ApiError('starting', 'The registry has not published the tenants yet.')
    throw new ApiError('tenant_not_found', `There is no tenant "${tenant}".`)
  }

  /** Whether it takes events of types in its catalogue alone; to be asked once the table was read. */
  refusesUnknownTypes(tenant: string): boolean {
    return this.follower.get(tenant)?.unknownEventTypes === 'refuse'
  }

  /** Whether events may be published for it; to be asked once the table was read. */
  has(tenant: string): boolean {
    const found = this.follower.get(tenant)
    return found === undefined ? tenant === DEFAULT_TENANT : found.status === 'active'
  }
}
