import type { IncomingMessage, ServerResponse } from 'node:http'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { PeriodicExportingMetricReader, type MetricReader } from '@opentelemetry/sdk-metrics'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'
import { watchRuntime } from './runtime-metrics.js'
import { traceSampler } from './sampler.js'

export interface TelemetryOptions {
  /** `service.name`: posthorn-<target>. */
  readonly serviceName: string
  /** Base URL of an OTLP/HTTP collector; without one, spans are not recorded at all. */
  readonly otlpUrl: string | undefined
  /** Share of new traces that are recorded, 0 to 1; a sampled parent is always followed. */
  readonly traceRatio: number
  /** Metrics are sent there, too; they can be scraped in any case. */
  readonly metricsOtlp: { readonly url: string; readonly intervalMs: number } | undefined
}

export interface Telemetry {
  /** Answers a scrape with all metrics in Prometheus text format. */
  scrape(request: IncomingMessage, response: ServerResponse): void
  shutdown(): Promise<void>
}

/** On every series, so that services are told apart without joining target_info; as a collector adds it to OTLP. */
const SERVICE_NAME = /^service\.name$/

/**
 * Starts OpenTelemetry for this process. Detectors stay off: the default ones put the command line
 * into every scrape. The global propagator stays off too: a request to a customer must carry
 * neither baggage nor trace headers it did not ask for; records carry `traceparent` themselves.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const prometheus = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withResourceConstantLabels: SERVICE_NAME,
  })
  const spanProcessors =
    options.otlpUrl === undefined
      ? []
      : [
          new BatchSpanProcessor({
            exporter: new OTLPTraceExporter({ url: below(options.otlpUrl, 'v1/traces') }),
          }),
        ]
  const sdk = new NodeSDK({
    autoDetectResources: false,
    textMapPropagator: null,
    resource: resourceFromAttributes({ 'service.name': options.serviceName, 'service.namespace': 'posthorn' }),
    metricReaders: [prometheus, ...otlpReaders(options)],
    logRecordProcessors: [],
    spanProcessors,
    sampler: traceSampler(options.traceRatio),
    instrumentations: [],
  })
  sdk.start()
  const endRuntime = watchRuntime()
  return {
    scrape: (request, response) => prometheus.getMetricsRequestHandler(request, response),
    shutdown: () => {
      endRuntime()
      return sdk.shutdown()
    },
  }
}

function otlpReaders({ metricsOtlp }: TelemetryOptions): MetricReader[] {
  if (metricsOtlp === undefined) return []
  const exporter = new OTLPMetricExporter({ url: below(metricsOtlp.url, 'v1/metrics') })
  return [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: metricsOtlp.intervalMs })]
}

function below(base: string, path: string): string {
  return `${base.replace(/\/$/, '')}/${path}`
}
