import { metrics } from '@opentelemetry/api'
import type { ProxyFault } from '@posthorn/egress'
import type { Attempt } from '@posthorn/topics'
import type { CircuitChange } from '@posthorn/webhook'
import type { Ordering } from './ordering.js'
import type { WaitReason } from './pace.js'
import type { WebhookQueues } from './queues.js'
import type { Lane, Work } from './work.js'

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export type SpillReason = WaitReason | 'early' | 'paused' | 'sealed' | 'proxy' | 'configuration'

/** What the deliverer tells about its work. */
export class DelivererMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly attempts = this.meter.createCounter('posthorn_deliverer_attempts', {
    description: 'Attempts recorded, by outcome and class of failure.',
  })
  private readonly durations = this.meter.createHistogram('posthorn_deliverer_attempt_duration', {
    description: 'Time of a request, from connecting to the last byte of the answer.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })
  private readonly waits = this.meter.createHistogram('posthorn_deliverer_wait', {
    description: 'Time from the routing of a delivery to its first attempt, where it was not moved to a delay topic.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })
  private readonly spills = this.meter.createCounter('posthorn_deliverer_spills', {
    description: 'Deliveries moved to a delay topic without an attempt, by reason.',
  })
  private readonly duplicates = this.meter.createCounter('posthorn_deliverer_duplicates', {
    description: 'Records dropped because their attempt was known, by what was known and what they came as.',
  })
  private readonly poison = this.meter.createCounter('posthorn_deliverer_poison', {
    description: 'Records set aside in the poison topic, by reason.',
  })
  private readonly secrets = this.meter.createCounter('posthorn_deliverer_sealed_secrets', {
    description: 'Attempts that could not be made because a secret did not open.',
  })
  private readonly proxyFailures = this.meter.createCounter('posthorn_deliverer_proxy_failures', {
    description: 'Requests that the egress proxy of the deployment did not let through, by its fault.',
  })
  private readonly circuits = this.meter.createCounter('posthorn_deliverer_circuit_changes', {
    description: 'Circuits of webhooks that opened because their requests only failed, or closed again.',
  })
  private readonly lags = this.meter.createCounter('posthorn_deliverer_configuration_lags', {
    description: 'Deliveries whose webhook version did not arrive within 30 s.',
  })

  /** Gauges of what is in memory. */
  watch(queues: WebhookQueues<Work>, held: () => number, ordering: Ordering): void {
    const gauge = (name: string, description: string, value: () => number) =>
      this.meter.createObservableGauge(name, { description }).addCallback(result => result.observe(value()))
    gauge('posthorn_deliverer_in_flight', 'Attempts under way, until they are recorded.', () => queues.running)
    gauge('posthorn_deliverer_queued', 'Deliveries that wait in memory for a request.', () => queues.waiting)
    gauge('posthorn_deliverer_circuits_open', 'Webhooks that are only probed.', () => queues.openCircuits)
    gauge('posthorn_deliverer_held', 'Deliveries that wait in memory for a webhook version or for their time.', held)
    gauge('posthorn_deliverer_parked', 'Webhooks, and keys of ordered ones, that are read again later.', () =>
      [...ordering.places()].reduce(count => count + 1, 0),
    )
    gauge('posthorn_deliverer_parked_oldest_seconds', 'How long the oldest of them has been parked.', () => {
      const since = [...ordering.places()].reduce((first, place) => Math.min(first, place.since), Infinity)
      return since === Infinity ? 0 : (Date.now() - since) / 1000
    })
  }

  attempted({ outcome, error_class, duration_ms, url, started_at }: Attempt, { delivery, lane, record }: Work): void {
    this.attempts.add(1, { outcome, class: error_class ?? 'none' })
    if (url !== undefined) this.durations.record(duration_ms / 1000, { outcome })
    if (lane === 'fresh' && delivery.attempt === 1 && delivery.spills === 0)
      this.waits.record(Math.max(0, Date.parse(started_at) - record.timestamp) / 1000)
  }

  spilled(reason: SpillReason): void {
    this.spills.add(1, { reason })
  }

  circuit(to: CircuitChange): void {
    this.circuits.add(1, { to })
  }

  duplicate(known: 'settled' | 'in_flight', lane: Lane): void {
    this.duplicates.add(1, { known, lane })
  }

  setAside(reason: string): void {
    this.poison.add(1, { reason })
  }

  sealed(): void {
    this.secrets.add(1)
  }

  proxyFailed(fault: ProxyFault): void {
    this.proxyFailures.add(1, { fault })
  }

  lagged(): void {
    this.lags.add(1)
  }
}
