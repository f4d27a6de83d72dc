/** What a member says it owns, and since which generation of the group; -1: never owned anything. */
export interface OwnershipClaim {
  readonly generation: number
  readonly partitions: readonly number[]
}

/**
 * Shares partition numbers 0 to `count` - 1 among the members: every number has one owner, shares
 * differ by one at most, and as few numbers as possible change their owner. Pure: the same claims
 * give the same plan, whoever leads the group.
 */
export function planAssignment(claims: ReadonlyMap<string, OwnershipClaim>, count: number): Map<string, number[]> {
  const members = [...claims.keys()].sort()
  const owned = ownedBefore(members, claims, count)
  const free = trimToQuota(members, owned, count)
  for (const member of members) {
    const { partitions, quota } = owned.get(member)!
    while (partitions.length < quota) partitions.push(free.shift()!)
    partitions.sort((a, b) => a - b)
  }
  return new Map(members.map(member => [member, owned.get(member)!.partitions]))
}

interface Share {
  readonly partitions: number[]
  quota: number
}

/** A contested number goes to the newest claim: an older one is of a member that missed a rebalance. */
function ownedBefore(
  members: readonly string[],
  claims: ReadonlyMap<string, OwnershipClaim>,
  count: number,
): Map<string, Share> {
  const owners = new Array<string | undefined>(count).fill(undefined)
  for (const member of members) {
    const { generation, partitions } = claims.get(member)!
    for (const partition of partitions) {
      if (partition < 0 || partition >= count) continue
      const owner = owners[partition]
      if (owner === undefined || generation > claims.get(owner)!.generation) owners[partition] = member
    }
  }
  const owned = new Map<string, Share>(members.map(member => [member, { partitions: [], quota: 0 }]))
  owners.forEach((owner, partition) => owner !== undefined && owned.get(owner)!.partitions.push(partition))
  return owned
}

/** Sets the quotas and returns what is free, ascending. Who owns most gets the larger quota: that moves least. */
function trimToQuota(members: readonly string[], owned: ReadonlyMap<string, Share>, count: number): number[] {
  const low = Math.floor(count / members.length)
  let extra = count % members.length
  const free = new Set(Array.from({ length: count }, (_, partition) => partition))
  const byOwned = [...members].sort(
    (a, b) => owned.get(b)!.partitions.length - owned.get(a)!.partitions.length || (a < b ? -1 : 1),
  )
  for (const member of byOwned) {
    const share = owned.get(member)!
    share.quota = low + (extra-- > 0 ? 1 : 0)
    share.partitions.length = Math.min(share.partitions.length, share.quota)
    for (const partition of share.partitions) free.delete(partition)
  }
  return [...free]
}
