import { TraceFlags } from '@opentelemetry/api'
import { ParentBasedSampler, SamplingDecision, TraceIdRatioBasedSampler, type Sampler } from '@opentelemetry/sdk-trace'

/**
 * What has a parent is recorded if the parent is; a trace that goes on from another one, if that one was; of all
 * other traces the share `ratio`. So a delivery is recorded from its producer to its last retry, or not at all.
 */
export function traceSampler(ratio: number): Sampler {
  return new ParentBasedSampler({ root: new LinkedSampler(new TraceIdRatioBasedSampler(ratio)) })
}

class LinkedSampler implements Sampler {
  constructor(private readonly others: Sampler) {}

  shouldSample(...asked: Parameters<Sampler['shouldSample']>): ReturnType<Sampler['shouldSample']> {
    const [origin] = asked[5]
    if (!origin) return this.others.shouldSample(...asked)
    const sampled = (origin.context.traceFlags & TraceFlags.SAMPLED) !== 0
    return { decision: sampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD }
  }

  toString(): string {
    return `Linked{${this.others.toString()}}`
  }
}
