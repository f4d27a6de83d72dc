import type { SecureContext } from 'node:tls'
import { Agent } from 'undici'
import { laterTlsVersion, type TlsVersion } from '@posthorn/webhook'
import type { AddressGuard } from './address-guard.js'
import { AddressRanges } from './ranges.js'
import type { Sockets } from './sockets.js'
import { receiverTrust, type RequestTls } from './trust.js'

/** Receivers behind load balancers close idle connections after some seconds: be first where we can. */
const KEEP_ALIVE_MS = 4_000
const KEEP_ALIVE_MAX_MS = 60_000
/** Policies of webhooks that are kept ready; each costs some kilobytes. */
const MAX_DOORS = 1_000

/** What a webhook asks of the connections that are made for it. */
export interface DoorPolicy {
  readonly allowedCidrs?: readonly string[]
  readonly deniedCidrs?: readonly string[]
  readonly minTlsVersion?: TlsVersion
  readonly tls?: RequestTls
}

interface Deployment {
  readonly minTlsVersion: TlsVersion
  readonly ca?: string
  /** undici counts the bytes of names and values only, so that this is near what it says. */
  readonly headerBytes: number
}

/**
 * One undici agent for each policy: a connection that one webhook may use is not handed to another
 * that would not have made it.
 */
export class Doors {
  private readonly doors = new Map<string, Agent>()
  private readonly contexts = new Map<TlsVersion, SecureContext>()

  constructor(
    private readonly guard: AddressGuard,
    private readonly sockets: Sockets,
    private readonly deployment: Deployment,
  ) {}

  /** Throws on a range that is no CIDR. */
  doorFor(policy: DoorPolicy): Agent {
    const { allowedCidrs, deniedCidrs, minTlsVersion, tls } = policy
    const version = laterTlsVersion(minTlsVersion, this.deployment.minTlsVersion)
    const key = [version, allowedCidrs?.join(' '), deniedCidrs?.join(' '), tls?.name].join('|')
    let door = this.doors.get(key)
    // The one used last stands last.
    if (door === undefined) door = this.open(version, policy)
    else this.doors.delete(key)
    this.doors.set(key, door)
    if (this.doors.size > MAX_DOORS) this.closeOldest()
    return door
  }

  async close(): Promise<void> {
    await Promise.all([...this.doors.values()].map(door => door.destroy()))
  }

  private open(version: TlsVersion, { allowedCidrs, deniedCidrs, tls }: DoorPolicy): Agent {
    const listed = {
      ...(allowedCidrs ? { allowed: new AddressRanges(allowedCidrs) } : {}),
      ...(deniedCidrs ? { denied: new AddressRanges(deniedCidrs) } : {}),
    }
    const connect = this.sockets.connector({
      lookup: this.guard.lookupAmong(listed),
      checkLiteral: hostname => this.guard.checkLiteral(hostname, listed),
      secureContext: tls?.contextFor(version, this.deployment.ca) ?? this.contextFor(version),
    })
    return new Agent({
      connect,
      allowH2: false,
      pipelining: 1,
      // One pool per origin, without a bound of its own: a queue inside undici would eat the request's time.
      connections: null,
      maxHeaderSize: this.deployment.headerBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      // The whole request has one timer, in Egress.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  private contextFor(version: TlsVersion): SecureContext {
    let context = this.contexts.get(version)
    if (context === undefined) this.contexts.set(version, (context = receiverTrust(version, this.deployment.ca)))
    return context
  }

  private closeOldest(): void {
    const [key, door] = this.doors.entries().next().value!
    this.doors.delete(key)
    // Its requests end first. Nobody waits, and what fails is told by them.
    door.close().catch(() => undefined)
  }
}
