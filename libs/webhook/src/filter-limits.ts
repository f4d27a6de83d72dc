/** What a filter may cost at most; docs/filters.md gives the reasons. */
export const FILTER_LIMITS = {
  /** Characters as compact JSON. */
  size: 16_384,
  /** Objects inside each other, those of $or included. */
  depth: 20,
  predicates: 256,
  /** Of them those that are tried one by one on every value: an event may be an array of 100,000 values. */
  comparisons: 64,
  /** Conjunctions after every $or, and every exists: false among other values, is multiplied out. */
  branches: 64,
  wildcards: 16,
  /** `*` in one wildcard, and its characters. */
  stars: 8,
  wildcardLength: 256,
} as const
