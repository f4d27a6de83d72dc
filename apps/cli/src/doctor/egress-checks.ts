import type { LookupAddress } from 'node:dns'
import { isIP, connect as connectTcp, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  AddressGuard,
  AddressRefused,
  EgressProxy,
  PortRanges,
  PortRefused,
  ProxyFailed,
  receiverTrust,
  Tunnel,
} from '@posthorn/egress'
import type { Settings } from '@posthorn/process'
import { fail, ok, reasonOf, warn, type Finding } from './check.js'

const TIMEOUT_MS = 5_000
const NAME = 'egress'
/** Asked for when no other is named: it is there for such uses (RFC 2606). */
const ANY_HOST = 'https://example.com'

/**
 * Whether webhooks can be reached from here: name, address, connection and, for https, certificate;
 * by the guard that deliveries go by. Nothing is sent.
 */
export async function egressChecks(settings: Settings, target: string | undefined): Promise<Finding[]> {
  const url = new URL(target ?? ANY_HOST)
  const complain = target === undefined ? warn : fail
  const here = 'This is about where doctor runs: run it where the deliverers do.'
  try {
    await reach(url, settings)
    return [ok(NAME, `${url.origin} can be reached${url.protocol === 'https:' ? ', its certificate is good' : ''}.`)]
  } catch (error) {
    return [
      complain(NAME, `${url.origin} cannot be reached: ${reasonOf(error)}.`, `${adviceFor(error, target)} ${here}`),
    ]
  }
}

function adviceFor(error: unknown, target: string | undefined): string {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (error instanceof AddressRefused)
    return 'POSTHORN_EGRESS_ALLOW lets webhooks lead to private addresses, POSTHORN_EGRESS_DENY forbids ranges.'
  if (error instanceof PortRefused) return 'POSTHORN_EGRESS_PORTS says which ports webhooks may lead to.'
  if (error instanceof ProxyFailed)
    return 'POSTHORN_EGRESS_PROXY_URL says which proxy it is; docs/egress.md what it has to permit.'
  if (target === undefined) return 'Name a receiver of yours by --egress <url> if this network has no internet.'
  if (syscall === 'getaddrinfo' || code.startsWith('EAI_')) return 'Check the name, and the DNS of this machine.'
  if (code.includes('CERT') || code.startsWith('ERR_TLS') || code.includes('SELF_SIGNED'))
    return "Check the receiver's certificate and its chain."
  return 'Check firewalls and routes from here to there.'
}

async function reach(url: URL, settings: Settings): Promise<void> {
  const guard = new AddressGuard({ allow: settings.egressAllow, deny: settings.egressDeny })
  const refused = guard.checkLiteral(url.hostname)
  if (refused !== undefined) throw refused
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (secure ? 443 : 80))
  if (!new PortRanges(settings.egressPorts).has(port)) throw new PortRefused(port)
  const { lookup } = guard
  const secureContext = receiverTrust(settings.egressMinTlsVersion, settings.egressCa)
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const through = await tunnelled(settings, host, port, lookup)
  if (through && !secure) return void through.destroy()
  const way = through ? { socket: through } : { host, port, lookup }
  const socket = secure
    ? connectTls({ ...way, secureContext, host, ...servername })
    : connectTcp({ host, port, lookup })
  await connected(socket, secure ? 'secureConnect' : 'connect')
}

/** A connection through the proxy, where there is one and the address is not excepted from it. */
async function tunnelled(
  { egressProxyUrl: url, egressProxyExcept: except }: Settings,
  host: string,
  port: number,
  lookup: LookupFunction,
): Promise<Socket | undefined> {
  if (url === undefined) return undefined
  const proxy = new EgressProxy({ url, except })
  const addresses = await addressesOf(host, lookup)
  if (proxy.direct(addresses).length > 0) return undefined
  const tunnel = new Tunnel(proxy)
  const timer = setTimeout(() => {
    tunnel.destroy(new Error(`the proxy did not connect within ${TIMEOUT_MS / 1000} s`))
  }, TIMEOUT_MS)
  return tunnel
    .open(addresses, port)
    .then(({ socket }) => socket)
    .finally(() => clearTimeout(timer))
}

function addressesOf(host: string, lookup: LookupFunction): Promise<LookupAddress[]> {
  const family = isIP(host)
  if (family !== 0) return Promise.resolve([{ address: host, family }])
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found as LookupAddress[])))
  })
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    socket.setTimeout(TIMEOUT_MS, () => reject(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
    socket.once(event, resolve)
    socket.once('error', reject)
  }).finally(() => {
    // What comes after is nobody's concern.
    socket.on('error', () => undefined)
    socket.destroy()
  })
}
