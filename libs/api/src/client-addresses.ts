import { compile, default as proxyAddress } from '@fastify/proxy-addr'
import { plainAddress } from './authentication.js'

/** Where a call comes from, by the rules that Fastify has for HTTP: only a trusted proxy is believed. */
export class ClientAddresses {
  private readonly trusts: ReturnType<typeof compile>

  /** Addresses and CIDRs of proxies. */
  constructor(trustedProxies: readonly string[]) {
    this.trusts = compile([...trustedProxies])
  }

  of(peer: string, forwardedFor: string): string {
    const request = { socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwardedFor } }
    return plainAddress(proxyAddress(request as unknown as Parameters<typeof proxyAddress>[0], this.trusts))
  }
}
