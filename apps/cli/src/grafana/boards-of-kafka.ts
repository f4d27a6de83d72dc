import { Board } from './board.js'
import { quantiles, ratePer } from './boards-of-delivery.js'

const RATE = '$__rate_interval'

/** Retries, and the topics that they wait in. */
export function retries(): Board {
  return new Board(
    'retries',
    'retries and delay topics',
    'Whether retries leave in time. The lag of a delay topic says nothing.',
  )
    .row('In time')
    .graph({
      ...{ title: 'Oldest overdue', about: 'By tier; due: on its way to due.v1.', unit: 's', bad: 60 },
      series: [['max by (tier) (posthorn_retry_scheduler_overdue_oldest_seconds)', '{{tier}}']],
    })
    .graph({
      ...{
        title: 'Lateness',
        about: 'When retries reach due.v1, after their time; the objective is 5 s.',
        unit: 's',
        bad: 5,
      },
      series: quantiles('posthorn_retry_scheduler_lateness_seconds'),
    })
    .graph({
      ...{ title: 'Retries handed on', about: 'To the deliverers.', unit: 'reqps' },
      series: [[`sum(rate(posthorn_retry_scheduler_released_total[${RATE}]))`, 'released']],
    })
    .row('In the delay topics')
    .graph({
      ...{ title: 'Moved to the next tier', about: 'Long delays go through several.', unit: 'reqps' },
      series: [ratePer('posthorn_retry_scheduler_moved_total', 'tier')],
    })
    .graph({
      ...{ title: 'Records waiting', about: 'In Kafka, by topic: they are meant to.', unit: 'short' },
      series: [['max by (topic) (posthorn_monitor_lag_records{group="retry-scheduler"})', '{{topic}}']],
    })
    .graph({
      ...{ title: 'Read ahead', about: 'Records in the memory of the schedulers, 50,000 each at most.', unit: 'short' },
      series: [['sum(posthorn_retry_scheduler_pending)', 'records']],
    })
    .row('Why there are retries')
    .graph({
      ...{ title: 'Attempts that will be retried', about: 'By class of failure.', unit: 'reqps', width: 12 },
      series: [[`sum by (class) (rate(posthorn_deliverer_attempts_total{outcome="retry"}[${RATE}]))`, '{{class}}']],
    })
    .graph({
      ...{
        title: 'Put off without an attempt',
        about: 'Spills come through the same topics.',
        unit: 'reqps',
        width: 12,
      },
      series: [ratePer('posthorn_deliverer_spills_total', 'reason')],
    })
}

/** Groups, lag and producing. */
export function consumers(): Board {
  return new Board(
    'consumers',
    'Kafka consumers',
    'How far behind each group is, in seconds and in records, and what holds it up.',
  )
    .row('Lag')
    .graph({
      ...{
        title: 'In seconds',
        about: 'Age of the oldest unfinished record, by group and topic.',
        unit: 's',
        bad: 300,
      },
      series: [
        [
          'max by (group, topic) (posthorn_monitor_oldest_unfinished_seconds{group!="retry-scheduler"})',
          '{{group}} {{topic}}',
        ],
      ],
    })
    .graph({
      ...{ title: 'In records', about: 'Not finished, by group and topic.', unit: 'short' },
      series: [
        ['max by (group, topic) (posthorn_monitor_lag_records{group!="retry-scheduler"})', '{{group}} {{topic}}'],
      ],
    })
    .graph({
      ...{
        title: 'Oldest heads',
        about: 'The ten partitions that are furthest behind: one alone is a stuck partition.',
        unit: 's',
      },
      series: [
        [
          'topk(10, max by (group, topic, partition) (posthorn_monitor_head_age_seconds{group!="retry-scheduler"}))',
          '{{group}} {{topic}}/{{partition}}',
        ],
      ],
    })
    .row('Groups')
    .graph({
      ...{ title: 'Partitions held', about: 'By group; a gap is a partition that nobody reads.', unit: 'short' },
      series: [['sum by (group) (posthorn_kafka_partitions)', '{{group}}']],
    })
    .graph({
      ...{ title: 'Rebalances', about: 'Each stops a group for a moment.', unit: 'short' },
      series: [['sum by (group) (increase(posthorn_kafka_rebalances_total[10m]))', '{{group}} in 10 min']],
    })
    .graph({
      ...{ title: 'Read and not finished', about: 'At the bound of bytes a process reads no more.', unit: 'bytes' },
      series: [['sum by (group) (posthorn_kafka_unfinished_bytes)', '{{group}}']],
    })
    .row('Retention')
    .graph({
      ...{
        title: 'Retention used',
        about: 'At 1 records are lost before they were done.',
        unit: 'percentunit',
        bad: 0.5,
      },
      series: [['max by (group, topic) (posthorn_monitor_retention_used)', '{{group}} {{topic}}']],
    })
    .graph({
      ...{ title: 'Source topics', about: 'Records of your own topics that are not accepted yet.', unit: 'short' },
      series: [['sum by (source, topic) (posthorn_ingest_source_lag)', '{{source}} {{topic}}']],
    })
    .graph({
      ...{ title: 'Records of sources', about: 'By what became of them.', unit: 'reqps' },
      series: [ratePer('posthorn_ingest_source_records_total', 'source, result')],
    })
    .row('Producing')
    .graph({
      ...{ title: 'Records produced', about: 'Acknowledged by all in-sync replicas, by topic.', unit: 'reqps' },
      series: [ratePer('posthorn_kafka_produced_records_total', 'topic')],
    })
    .graph({
      ...{ title: 'Time of a send', about: 'Until it is acknowledged.', unit: 's' },
      series: quantiles('posthorn_kafka_produce_duration_seconds'),
    })
    .graph({
      ...{ title: 'Errors of producing', about: 'All but the refused are sent again.', unit: 'reqps' },
      series: [ratePer('posthorn_kafka_produce_errors_total', 'service_name, reason')],
    })
}
