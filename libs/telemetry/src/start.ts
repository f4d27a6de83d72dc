import type { IncomingMessage, ServerResponse } from 'node:http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'

export interface TelemetryOptions {
  /** `service.name`: posthorn-<target>. */
  readonly serviceName: string
  /** Base URL of an OTLP/HTTP collector; without one, spans are not recorded at all. */
  readonly otlpUrl: string | undefined
  /** Share of new traces that are recorded, 0 to 1; a sampled parent is always followed. */
  readonly traceRatio: number
}

export interface Telemetry {
  /** Answers a scrape with all metrics in Prometheus text format. */
  scrape(request: IncomingMessage, response: ServerResponse): void
  shutdown(): Promise<void>
}

/**
 * Starts OpenTelemetry for this process. Detectors stay off: the default ones put the command line
 * into every scrape. The global propagator stays off too: a request to a customer must carry
 * neither baggage nor trace headers it did not ask for; records carry `traceparent` themselves.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const prometheus = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
  const spanProcessors =
    options.otlpUrl === undefined
      ? []
      : [
          new BatchSpanProcessor({
            exporter: new OTLPTraceExporter({ url: `${options.otlpUrl.replace(/\/$/, '')}/v1/traces` }),
          }),
        ]
  const sdk = new NodeSDK({
    autoDetectResources: false,
    textMapPropagator: null,
    resource: resourceFromAttributes({ 'service.name': options.serviceName, 'service.namespace': 'posthorn' }),
    metricReaders: [prometheus],
    logRecordProcessors: [],
    spanProcessors,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.traceRatio) }),
    instrumentations: [],
  })
  sdk.start()
  return {
    scrape: (request, response) => prometheus.getMetricsRequestHandler(request, response),
    shutdown: () => sdk.shutdown(),
  }
}
