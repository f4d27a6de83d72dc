import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { metrics } from '@opentelemetry/api'
import { Egress, type EgressOptions } from '@posthorn/egress'
import type { Sealer } from '@posthorn/sealing'
import { PROBE_WEBHOOK, probeWebhook, secretContext, secretFrom, type Webhook } from '@posthorn/webhook'
import type { DeliverParts } from './deliver.js'
import type { LoopOptions } from './delivery-loop.js'

const HOST = '127.0.0.1'
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
/** Clocks of two machines may differ by so much; what comes from further ahead is none of ours. */
const SKEW_MS = 60_000

/**
 * The end of the way that probes go: a receiver in this process, which the door to it alone leads to. That door
 * opens for this address and port and no other, and nobody else can name its URL: what webhooks may reach stays as it
 * is.
 */
export class Probes {
  private newest: number | undefined
  private readonly durations = metrics
    .getMeter('posthorn')
    .createHistogram('posthorn_deliverer_probe_duration_seconds', {
      description: 'Time of a probe from the monitor that sent it to the receiver in the deliverer.',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS_S },
    })

  private constructor(
    private readonly server: Server,
    private readonly door: Egress,
    private readonly webhook: Webhook,
  ) {
    metrics
      .getMeter('posthorn')
      .createObservableGauge('posthorn_deliverer_probe_age_seconds', {
        description: 'How long ago the newest probe that arrived here was sent; none before the first.',
      })
      .addCallback(result => {
        if (this.newest !== undefined) result.observe(Math.max(0, Date.now() - this.newest) / 1000)
      })
  }

  static async start(sealer: Sealer, options: EgressOptions): Promise<Probes> {
    const query = `?${randomBytes(32).toString('base64url')}`
    const server = createServer((request, response) => {
      const arrived = request.method === 'POST' && request.url === `/${query}` ? probes.take(request) : Promise.reject()
      arrived.then(
        () => response.writeHead(204).end(),
        () => response.writeHead(400).end(),
      )
    })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve))
    const { port } = server.address() as AddressInfo
    // The deployment's proxy is for what leads away from here.
    const { proxy: _proxy, ...common } = options
    const own = { allow: [`${HOST}/32`], deny: [], ports: [String(port)], sockets: 2 }
    const sealed = sealer.seal(secretFrom(randomBytes(32)), secretContext({ id: PROBE_WEBHOOK }))
    const webhook = probeWebhook(`http://${HOST}:${port}/${query}`, sealed)
    const probes = new Probes(server, Egress.from({ ...common, ...own }), webhook)
    return probes
  }

  /** The table with the webhook of probes, whatever stands on the topic under its name. */
  among(table: LoopOptions['webhooks']): LoopOptions['webhooks'] {
    return {
      whole: table.whole,
      get: id => (id === PROBE_WEBHOOK ? this.webhook : table.get(id)),
      waitFor: (...of) => table.waitFor(...of),
      readToEnd: () => table.readToEnd(),
      values: () => table.values(),
    }
  }

  /** The way out of all others, and the one of probes. */
  beside(door: DeliverParts['egress']): DeliverParts['egress'] {
    return { send: request => (request.url === this.webhook.url ? this.door : door).send(request) }
  }

  /** Its webhook may be another deliverer's now. */
  forget(): void {
    this.newest = undefined
  }

  async close(): Promise<void> {
    this.forget()
    await this.door.close()
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }

  private async take(request: IncomingMessage): Promise<void> {
    const { data } = JSON.parse(await text(request)) as { data?: { sent_at?: unknown } }
    const sentAt = Date.parse(String(data?.sent_at))
    const now = Date.now()
    if (!(sentAt < now + SKEW_MS)) throw new Error('the probe does not say when it was sent')
    this.durations.record(Math.max(0, now - sentAt) / 1000)
    this.newest = Math.max(sentAt, this.newest ?? 0)
  }
}
