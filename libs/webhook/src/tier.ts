/** The delay topics, in seconds each. Within one, every record waits the same time after its log timestamp. */
export const TIERS = [
  { name: '0s', delayMs: 0 },
  { name: '5s', delayMs: 5_000 },
  { name: '30s', delayMs: 30_000 },
  { name: '2m', delayMs: 120_000 },
  { name: '10m', delayMs: 600_000 },
  { name: '1h', delayMs: 3600_000 },
  { name: '6h', delayMs: 21_600_000 },
] as const

export type Tier = (typeof TIERS)[number]
export type TierName = Tier['name']

/** Below this a released record waits in memory for its exact time instead of in another delay topic. */
export const SHORTEST_TIER_MS = 5_000

/** The largest tier that is not longer than what remains (ms) until the due time. */
export function tierFor(remainingMs: number): Tier {
  let fit: Tier = TIERS[0]
  for (const tier of TIERS) if (tier.delayMs <= remainingMs) fit = tier
  return fit
}
