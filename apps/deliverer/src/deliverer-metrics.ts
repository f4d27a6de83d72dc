import { metrics } from '@opentelemetry/api'
import type { ProxyFault } from '@posthorn/egress'
import { fromZero } from '@posthorn/telemetry'
import type { Attempt } from '@posthorn/topics'
import {
  ageStart,
  isDeadLetter,
  LIVE_RUN,
  PROBE_TENANT,
  type CircuitChange,
  type SendResult,
  type Webhook,
} from '@posthorn/webhook'
import type { BulkGate } from './bulk-gate.js'
import type { Hold } from './hold.js'
import type { Ordering } from './ordering.js'
import type { WaitReason } from './pace.js'
import type { WebhookQueues } from './queues.js'
import type { Lane, Work } from './work.js'

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Retries make a delivery days old. */
const AGE_BUCKETS_S = [
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  ...[300, 1800, 3600, 21_600, 86_400, 259_200],
]

/** Those that a webhook can have as long as it is there. */
const STATUSES = ['pending', 'active', 'paused', 'disabled'] as const satisfies readonly Webhook['status'][]

const PROXY_FAULTS = [
  ...(['unreachable', 'refused', 'authentication', 'closed', 'silent', 'protocol'] as const),
] satisfies readonly ProxyFault[]

const SPILL_REASONS = [
  ...(['queue', 'rate_limit', 'retry_after', 'circuit'] as const satisfies readonly WaitReason[]),
  ...(['early', 'paused', 'sealed', 'proxy', 'configuration'] as const),
]
export type SpillReason = WaitReason | (typeof SPILL_REASONS)[number]

interface Watched {
  readonly queues: WebhookQueues<Work>
  readonly hold: Pick<Hold<Work>, 'size'>
  readonly gate: Pick<BulkGate, 'size' | 'rate'>
  readonly ordering: Ordering
  readonly webhooks: { values(): Iterable<Pick<Webhook, 'status'>> }
}

/** What the deliverer tells about its work. */
export class DelivererMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly attempts = this.meter.createCounter('posthorn_deliverer_attempts', {
    description: 'Attempts recorded, by outcome and class of failure.',
  })
  private readonly durations = this.meter.createHistogram('posthorn_deliverer_attempt_duration_seconds', {
    description: 'Time of a request, from connecting to the last byte of the answer.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })
  private readonly waits = this.meter.createHistogram('posthorn_deliverer_wait_seconds', {
    description:
      'Time from the routing of a delivery to its first attempt, where it was neither moved to a delay topic nor parked.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })
  private readonly requests = fromZero(
    this.meter.createCounter('posthorn_deliverer_requests', {
      description: 'Requests made, by the class of the answer (2xx to 5xx), or by why there was none.',
    }),
    ...['2xx', 'address_refused', 'address_unlisted', 'port_refused'].map(result => ({ result })),
  )
  private readonly firstAges = this.meter.createHistogram('posthorn_deliverer_first_attempt_age_seconds', {
    description:
      'Time from the acceptance of an event to its first attempt, where nothing of the webhook held it up (no delay topic, not parked).',
    unit: 's',
    advice: { explicitBucketBoundaries: AGE_BUCKETS_S },
  })
  private readonly ages = this.meter.createHistogram('posthorn_deliverer_delivery_age_seconds', {
    description:
      'Time from the acceptance of an event, or from its replay, to the end of its delivery with all retries, by how it ended.',
    unit: 's',
    advice: { explicitBucketBoundaries: AGE_BUCKETS_S },
  })
  private readonly deadLetters = fromZero(
    this.meter.createCounter('posthorn_deliverer_dead_letters', {
      description: 'Deliveries that became dead letters, by why.',
    }),
    ...['exhausted', 'expired', 'gone'].map(reason => ({ reason })),
  )
  private readonly spills = fromZero(
    this.meter.createCounter('posthorn_deliverer_spills', {
      description: 'Deliveries moved to a delay topic without an attempt, by reason.',
    }),
    ...SPILL_REASONS.map(reason => ({ reason })),
  )
  private readonly duplicates = fromZero(
    this.meter.createCounter('posthorn_deliverer_duplicates', {
      description: 'Records dropped because their attempt was known, by what was known and what they came as.',
    }),
    ...['settled', 'in_flight'].map(known => ({ known, lane: 'fresh' })),
  )
  private readonly poison = fromZero(
    this.meter.createCounter('posthorn_deliverer_poison', {
      description: 'Records set aside in the poison topic, by reason.',
    }),
    { reason: 'undecodable' },
    { reason: 'handler_failed' },
  )
  private readonly secrets = fromZero(
    this.meter.createCounter('posthorn_deliverer_sealed_secrets', {
      description: 'Attempts that could not be made because a secret did not open.',
    }),
  )
  private readonly proxyFailures = fromZero(
    this.meter.createCounter('posthorn_deliverer_proxy_failures', {
      description: 'Requests that the egress proxy of the deployment did not let through, by its fault.',
    }),
    ...PROXY_FAULTS.map(fault => ({ fault })),
  )
  private readonly circuits = fromZero(
    this.meter.createCounter('posthorn_deliverer_circuit_changes', {
      description: 'Circuits of webhooks that opened because their requests only failed, or closed again.',
    }),
    { to: 'opened' },
    { to: 'closed' },
  )
  private readonly lags = fromZero(
    this.meter.createCounter('posthorn_deliverer_configuration_lags', {
      description: 'Deliveries whose webhook version did not arrive within 30 s.',
    }),
  )

  /** Gauges of what is in memory. */
  watch({ queues, hold, gate, ordering, webhooks }: Watched): void {
    const gauge = (name: string, description: string, value: () => number) =>
      this.meter.createObservableGauge(name, { description }).addCallback(result => result.observe(value()))
    gauge('posthorn_deliverer_in_flight', 'Attempts under way, until they are recorded.', () => queues.running)
    gauge('posthorn_deliverer_queued', 'Deliveries that wait in memory for a request.', () => queues.waiting)
    gauge('posthorn_deliverer_circuits_open', 'Webhooks that are only probed.', () => queues.openCircuits)
    gauge(
      'posthorn_deliverer_held',
      'Deliveries that wait in memory for a webhook version or for their time.',
      () => hold.size,
    )
    gauge('posthorn_deliverer_bulk_held', 'Deliveries of bulk.v1 that wait in memory to be let in.', () => gate.size)
    gauge('posthorn_deliverer_bulk_rate', 'Deliveries of bulk.v1 that are let in a second at most.', () => gate.rate)
    this.meter
      .createObservableGauge('posthorn_deliverer_webhooks', {
        description: 'Webhooks by status; every deliverer knows all of them.',
      })
      .addCallback(result => {
        const counts = new Map<string, number>()
        for (const { status } of webhooks.values()) counts.set(status, (counts.get(status) ?? 0) + 1)
        for (const status of STATUSES) result.observe(counts.get(status) ?? 0, { status })
      })
    gauge('posthorn_deliverer_parked', 'Webhooks, and keys of ordered ones, that are read again later.', () =>
      [...ordering.places()].reduce(count => count + 1, 0),
    )
    gauge('posthorn_deliverer_parked_oldest_seconds', 'How long the oldest of them has been parked.', () => {
      const since = [...ordering.places()].reduce((first, place) => Math.min(first, place.since), Infinity)
      return since === Infinity ? 0 : (Date.now() - since) / 1000
    })
  }

  answered(result: SendResult): void {
    this.requests.add(1, { result: result.kind === 'failed' ? result.cause : `${Math.floor(result.status / 100)}xx` })
  }

  /** Those of probes would only make the others look better. */
  attempted(attempt: Attempt, work: Work): void {
    if (attempt.tenant === PROBE_TENANT) return
    const { outcome, error_class, duration_ms, url } = attempt
    this.attempts.add(1, { outcome, class: error_class ?? 'none' })
    if (url !== undefined) this.durations.record(duration_ms / 1000, { outcome })
    if (isDeadLetter(outcome)) this.deadLetters.add(1, { reason: outcome })
    this.aged(attempt, work)
  }

  private aged({ outcome, started_at, finished_at }: Attempt, { delivery, lane, record, live }: Work): void {
    if (lane === 'fresh' && live && delivery.attempt === 1 && delivery.spills === 0) {
      const startedAt = Date.parse(started_at)
      this.waits.record(Math.max(0, startedAt - record.timestamp) / 1000)
      this.firstAges.record(Math.max(0, startedAt - delivery.acceptedAt) / 1000)
    }
    if (outcome !== 'retry')
      this.ages.record(Math.max(0, Date.parse(finished_at) - ageStart(delivery)) / 1000, {
        outcome,
        run: delivery.run === LIVE_RUN ? 'live' : 'replay',
      })
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
