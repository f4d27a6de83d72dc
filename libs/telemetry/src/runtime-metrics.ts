import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks'
import { metrics } from '@opentelemetry/api'

const GC_KINDS = new Map<number, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
])
const GC_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
/** Finer costs more timers than it tells: what hurts is 50 ms and more. */
const DELAY_RESOLUTION_MS = 20
const QUANTILES = [50, 99, 100]
/** As long as the interval of scraping in the chart, so that no window is missed. */
const WINDOW_MS = 30_000

/** CPU, memory, event loop and garbage collection of this process. Returns what ends watching. */
export function watchRuntime(): () => void {
  const ends = [watchEventLoop(), watchGarbageCollection()]
  watchResources()
  return () => ends.forEach(end => end())
}

function watchResources(): void {
  const meter = metrics.getMeter('posthorn')
  meter
    .createObservableCounter('posthorn_process_cpu_seconds', {
      description: 'CPU time that the process used.',
      unit: 's',
    })
    .addCallback(result => {
      const { user, system } = process.cpuUsage()
      result.observe(user / 1e6, { mode: 'user' })
      result.observe(system / 1e6, { mode: 'system' })
    })
  meter
    .createObservableGauge('posthorn_process_memory_bytes', {
      description: 'Memory by kind: rss is all of it, buffers are outside of the heap.',
      unit: 'By',
    })
    .addCallback(result => {
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
      for (const [kind, bytes] of Object.entries({ rss, heap_used: heapUsed, heap: heapTotal, buffers: external }))
        result.observe(bytes, { kind })
    })
  meter
    .createObservableGauge('posthorn_process_start_time_seconds', {
      description: 'When the process started, since 1970.',
      unit: 's',
    })
    .addCallback(result => result.observe(performance.timeOrigin / 1000))
}

/** Windows of its own: two who ask (a scrape and a collector) must not take the worst moment from each other. */
function watchEventLoop(): () => void {
  const meter = metrics.getMeter('posthorn')
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  // It measures the whole interval, of which the resolution is wanted.
  const late = (percentile: number) => Math.max(0, delay.percentile(percentile) / 1e9 - DELAY_RESOLUTION_MS / 1000)
  let window: readonly number[] | undefined
  const timer = setInterval(() => {
    window = QUANTILES.map(late)
    delay.reset()
  }, WINDOW_MS).unref()
  meter
    .createObservableGauge('posthorn_process_event_loop_delay_seconds', {
      description: 'How late timers were in the last whole 30 s, by quantile; 1 is the worst.',
      unit: 's',
    })
    .addCallback(result => {
      const values = window ?? QUANTILES.map(late)
      QUANTILES.forEach((percentile, i) => result.observe(values[i]!, { quantile: String(percentile / 100) }))
    })
  meter
    .createObservableCounter('posthorn_process_event_loop_busy_seconds', {
      description: 'Time in which the event loop was busy: 1 a second is a process that is full.',
      unit: 's',
    })
    .addCallback(result => result.observe(performance.eventLoopUtilization().active / 1000))
  return () => {
    clearInterval(timer)
    delay.disable()
  }
}

function watchGarbageCollection(): () => void {
  const pauses = metrics.getMeter('posthorn').createHistogram('posthorn_process_gc_seconds', {
    description: 'Time that a garbage collection took, by kind.',
    unit: 's',
    advice: { explicitBucketBoundaries: GC_BUCKETS_S },
  })
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      const { kind: code } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail
      const kind = GC_KINDS.get(code)
      if (kind !== undefined) pauses.record(entry.duration / 1000, { kind })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}
