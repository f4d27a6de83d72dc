import { isIP, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AddressGuard, AddressRefused, PortRanges, PortRefused, receiverTrust } from '@posthorn/egress'
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
  const socket = secure
    ? connectTls({ host, port, lookup, secureContext, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connectTcp({ host, port, lookup })
  await connected(socket, secure ? 'secureConnect' : 'connect')
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
