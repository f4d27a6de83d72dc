import { metrics } from '@opentelemetry/api'

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What the registry tells about the requests and calls it answers. */
export class RequestMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly requests = this.meter.createHistogram('posthorn_registry_request_duration_seconds', {
    description: 'Time from the headers of a request to the end of its answer, by route and status.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })
  private readonly calls = this.meter.createHistogram('posthorn_registry_call_duration_seconds', {
    description: 'Time of a gRPC call that was let in, by its method and the code of the error (ok: none).',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })

  /** `route` is the pattern, never the path: undefined where no route fits. */
  answered(method: string, route: string | undefined, status: number, milliseconds: number): void {
    this.requests.record(milliseconds / 1000, { method, route: route ?? 'none', status })
  }

  called(method: string, code: string, milliseconds: number): void {
    this.calls.record(milliseconds / 1000, { method, code })
  }
}
