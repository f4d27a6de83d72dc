import type { ProxyFailed } from '@posthorn/egress'
import type { Logger } from '@posthorn/telemetry'

/** Every delivery of a deployment may meet it: one line in so long is enough. */
const EVERY_MS = 10_000

const ADVICE: Readonly<Record<ProxyFailed['fault'], string>> = {
  unreachable: 'check that it runs, that POSTHORN_EGRESS_PROXY_URL names it, and the network between',
  refused: 'let it pass CONNECT to all public addresses at the ports of POSTHORN_EGRESS_PORTS',
  authentication: 'put its user and password into POSTHORN_EGRESS_PROXY_URL',
  closed: 'look into its log',
  silent: 'look into its log, and restart it',
  protocol: 'check that POSTHORN_EGRESS_PROXY_URL names an HTTP proxy',
}

export function proxyAlert(logger: Pick<Logger, 'error'>, now: () => number): (error: ProxyFailed) => void {
  let next = 0
  let untold = 0
  return error => {
    untold++
    if (now() < next) return
    next = now() + EVERY_MS
    logger.error(
      { alert: 'egress_proxy', fault: error.fault, requests: untold, err: error },
      `${error.message}: deliveries wait in a delay topic; ${ADVICE[error.fault]}`,
    )
    untold = 0
  }
}
