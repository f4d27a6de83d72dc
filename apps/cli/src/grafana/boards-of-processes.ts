import { Board } from './board.js'
import { quantiles, ratePer } from './boards-of-delivery.js'
import { TRACE_QUERIES } from './trace-queries.js'

const RATE = '$__rate_interval'

/** REST, gRPC and publishing. */
export function registryApi(): Board {
  return new Board(
    'registry-api',
    'registry API',
    'REST and gRPC of the registry, publishing, and the way of changes to the data path.',
  )
    .row('REST')
    .graph({
      ...{ title: 'Requests', about: 'By status; 5xx are ours.', unit: 'reqps' },
      series: [ratePer('posthorn_registry_request_duration_seconds_count', 'status')],
    })
    .graph({
      ...{ title: 'Time of a request', about: 'All routes together.', unit: 's' },
      series: quantiles('posthorn_registry_request_duration_seconds'),
    })
    .graph({
      ...{ title: 'Slowest routes', about: 'p95 of the ten slowest.', unit: 's' },
      series: [
        [
          `topk(10, histogram_quantile(0.95, sum by (le, method, route) (rate(posthorn_registry_request_duration_seconds_bucket[${RATE}]))))`,
          '{{method}} {{route}}',
        ],
      ],
    })
    .row('gRPC')
    .graph({
      ...{ title: 'Calls', about: 'By the code of the error; ok: none.', unit: 'reqps', width: 12 },
      series: [ratePer('posthorn_registry_call_duration_seconds_count', 'code')],
    })
    .graph({
      ...{ title: 'Time of a call', about: 'All methods together.', unit: 's', width: 12 },
      series: quantiles('posthorn_registry_call_duration_seconds'),
    })
    .row('Who is let in')
    .graph({
      ...{
        title: 'Not let in',
        about: 'By the code of the error; key_invalid is a wrong key.',
        unit: 'reqps',
        width: 12,
      },
      series: [
        [`sum by (code) (rate(posthorn_registry_not_let_in_total[${RATE}]))`, 'registry {{code}}'],
        [`sum by (code) (rate(posthorn_ingest_not_let_in_total[${RATE}]))`, 'ingest {{code}}'],
      ],
    })
    .graph({
      ...{ title: 'Publishing', about: 'Time of a request to ingest.', unit: 's', width: 12 },
      series: quantiles('posthorn_ingest_request_duration_seconds'),
    })
    .row('Changes')
    .graph({
      ...{ title: 'Documents published', about: 'From the outbox to the compacted topics.', unit: 'reqps', width: 12 },
      series: [ratePer('posthorn_registry_published_total', 'kind')],
    })
    .graph({
      ...{
        title: 'Replays',
        about:
          'Deliveries that replays chose, by whether they were sent, and how many the deliverers let in beside live work.',
        unit: 'reqps',
        width: 12,
      },
      series: [
        ratePer('posthorn_replayer_deliveries_total', 'result'),
        ['sum(posthorn_deliverer_bulk_rate)', 'let in at most'],
      ],
    })
}

/** CPU, memory, event loop, database. */
export function runtime(): Board {
  const by = 'service_name'
  const legend = '{{service_name}}'
  return new Board(
    'runtime',
    'runtime',
    'What the processes use: CPU, memory, event loop, garbage collection, connections.',
  )
    .row('Processes')
    .graph({
      ...{ title: 'CPU', about: 'Cores used; a process can use little more than one.', unit: 'short' },
      series: [[`sum by (${by}) (rate(posthorn_process_cpu_seconds_total[${RATE}]))`, legend]],
    })
    .graph({
      ...{ title: 'Memory', about: 'The largest process of each service.', unit: 'bytes' },
      series: [
        [`max by (${by}) (posthorn_process_memory_bytes{kind="rss"})`, `${legend} resident`],
        [`max by (${by}) (posthorn_process_memory_bytes{kind="heap_used"})`, `${legend} heap`],
      ],
    })
    .graph({
      ...{ title: 'Restarts', about: 'Starts within the last hour.', unit: 'short' },
      series: [[`sum by (${by}) (changes(posthorn_process_start_time_seconds[1h]))`, legend]],
    })
    .row('Node')
    .graph({
      ...{
        title: 'Event loop: busy',
        about: 'The fullest process; at 1 it can do no more.',
        unit: 'percentunit',
        bad: 0.9,
      },
      series: [[`max by (${by}) (rate(posthorn_process_event_loop_busy_seconds_total[${RATE}]))`, legend]],
    })
    .graph({
      ...{ title: 'Event loop: late', about: 'p99 of the worst process.', unit: 's', bad: 0.5 },
      series: [[`max by (${by}) (posthorn_process_event_loop_delay_seconds{quantile="0.99"})`, legend]],
    })
    .graph({
      ...{ title: 'Garbage collection', about: 'Share of the time; major ones stop everything.', unit: 'percentunit' },
      series: [[`max by (${by}, kind) (rate(posthorn_process_gc_seconds_sum[${RATE}]))`, `${legend} {{kind}}`]],
    })
    .row('Postgres')
    .graph({
      ...{ title: 'Connections', about: 'By pool and state, of all processes.', unit: 'short' },
      series: [['sum by (pool, state) (posthorn_database_connections)', '{{pool}} {{state}}']],
    })
    .graph({
      ...{
        title: 'Waiting for a connection',
        about: 'Steadily above 0: Postgres is slow, or the pool small.',
        unit: 'short',
        bad: 1,
      },
      series: [['sum by (pool) (posthorn_database_waiting)', '{{pool}}']],
    })
    .graph({
      ...{ title: 'History', about: 'Time of one transaction of the monitor.', unit: 's' },
      series: quantiles('posthorn_monitor_batch_duration_seconds'),
    })
    .row('Queues to Kafka')
    .graph({
      ...{
        title: 'Waiting to be produced',
        about: 'Bytes; at the bound the service takes in no more.',
        unit: 'bytes',
        width: 12,
      },
      series: [
        ['sum(posthorn_ingest_output_queued_bytes)', 'ingest'],
        ['sum(posthorn_router_output_queued_bytes)', 'router'],
      ],
    })
    .graph({
      ...{ title: 'History behind', about: 'Age of what was read and is not written.', unit: 's', width: 12, bad: 600 },
      series: [['max(posthorn_monitor_history_lag_seconds)', 'lag']],
    })
}

/** Traces by TraceQL, with the logs of the same deliveries. */
export function traces(): Board {
  const board = new Board(
    'traces',
    'traces',
    'Who calls whom, and the traces that are worth a look. Needs Tempo; the service graph its metrics generator.',
    ['tempo', 'loki'],
  )
  board.row('Service graph').serviceGraph({
    title: 'Who calls whom',
    about: 'From spans, by the metrics generator of Tempo: receivers are one node.',
  })
  board.row('Traces')
  for (const { title, about, query } of TRACE_QUERIES.filter(({ shown }) => shown))
    board.traces({ title, about }, query)
  return board
    .row('Logs')
    .logs(
      { title: 'Log lines of failed attempts', about: 'One wide line each; trace_id leads to the trace.' },
      '{service_name=~"posthorn.*"} | json | outcome != `` | outcome != `delivered`',
    )
}
