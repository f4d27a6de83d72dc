import type { Attributes, Counter } from '@opentelemetry/api'

/**
 * Has a counter's series there from the start: `increase()` does not see a series that appears with its
 * first count, and an alert on something rare would miss just that one.
 */
export function fromZero(counter: Counter, ...series: readonly Attributes[]): Counter {
  for (const labels of series.length === 0 ? [{}] : series) counter.add(0, labels)
  return counter
}
