import { metricSpec, type AlertMetric } from './alert-metric.js'

/** What is to be told of an alert. */
export interface ToldAlert {
  readonly metric: AlertMetric
  readonly tenant: string | null
  readonly webhook: string | null
  readonly value: number
  readonly threshold: number
  readonly windowSeconds: number
  readonly details: Readonly<Record<string, string | number>>
}

const hours = (seconds: number) => (seconds >= 7200 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds)} s`)
const percent = (share: number) => `${Math.round(share * 1000) / 10} %`

/** One sentence for a person: what is the matter, and what to look at. */
export function alertSentence(alert: ToldAlert): string {
  const { value, threshold, details, windowSeconds } = alert
  const [of, within] = [aboutOf(alert), `in the last ${hours(windowSeconds)}`]
  switch (alert.metric) {
    case 'webhook_success_rate':
    case 'tenant_success_rate':
    case 'platform_success_rate':
      return `Of ${details.attempts} attempts of ${of} ${within} ${percent(value)} delivered, less than ${percent(threshold)}.`
    case 'webhook_failing':
      return `${of} has done nothing but fail for ${hours(value)}: look at its attempts and its receiver.`
    case 'dead_letters':
      return `${value} deliveries of ${of} ended as dead letters ${within}: look why, then redrive them.`
    case 'poison':
      return `${value} records of ${of} could not be taken ${within}: posthorn poison list says why.`
    case 'refused_addresses':
      return `${value} requests of ${of} ${within} led to addresses or ports that are not allowed: look at its URL and DNS.`
    case 'certificate_expiring':
      return `The certificate of the receiver of ${of} ends in ${Math.floor(value)} days, on ${details.expires_at}: have it renewed.`
    case 'parked_half_used':
      return `The oldest parked record of ${of} has used ${percent(value)} of the time that Kafka keeps it: resume the webhook, or see to its receiver.`
    case 'wrong_keys':
      return `${value} requests came with a wrong key ${within}: somebody guesses, or a client has an old one.`
    case 'retries_overdue':
      return `The oldest retry in ${details.topic} is ${hours(value)} overdue: look at the retry-scheduler.`
    case 'consumer_stuck':
      return `${details.group} has not moved on partition ${details.partition} of ${details.topic} for ${hours(value)}, with ${details.lag} records waiting.`
    case 'under_replicated':
      return `${value} partitions of ${details.topic} have fewer replicas in sync than they ought to: look at the brokers.`
    case 'retention_half_used':
      return `The oldest record of ${details.topic} that ${details.group} has not finished has used ${percent(value)} of the retention: look why it does not go on, or keep the topic for longer.`
  }
}

function aboutOf({ metric, tenant, webhook }: ToldAlert): string {
  if (webhook !== null) return `webhook ${webhook} of tenant ${tenant}`
  if (tenant !== null) return `tenant ${tenant}`
  return metricSpec(metric).about === 'platform' ? 'all tenants' : 'no tenant'
}
