import kafkajs, {
  type Assigner,
  type Assignment,
  type Cluster,
  type GroupMember,
  type PartitionAssigner,
} from 'kafkajs'
import { planAssignment, type OwnershipClaim } from './assignment-plan.js'

/** Part of the group's protocol: changing it needs a roll-out with both names listed. */
const NAME = 'posthorn-sticky-1'
const VERSION = 1
const NOTHING: OwnershipClaim = { generation: -1, partitions: [] }

/**
 * Gives the same partition number of all subscribed topics to one member, and keeps it there. What
 * a member owns travels in its subscription's user data; kafkajs tells it only through GROUP_JOIN,
 * without the generation, which the first heartbeat brings: until then it is counted up.
 *
 *   user data = version generation *partition   ; int8, int32, int16, big-endian
 */
export class StickyAssigner {
  private mine: OwnershipClaim = NOTHING
  /** What `mine` has for a generation is counted up, not told. */
  private guessed = true
  private lowLevel?: Cluster

  /** For `partitionAssigners`; one per consumer, because kafkajs does not say whose it is. */
  readonly factory: PartitionAssigner = ({ cluster }): Assigner => {
    this.lowLevel = cluster
    return {
      name: NAME,
      version: VERSION,
      protocol: ({ topics }) => ({
        name: NAME,
        metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({
          version: VERSION,
          topics,
          userData: encodeClaim(this.mine),
        }),
      }),
      assign: async ({ members, topics }) => assign(members, topics, cluster),
    }
  }

  /** kafkajs's low-level client of the consumer that this assigner was given to. */
  get cluster(): Cluster {
    if (!this.lowLevel) throw new Error('the assigner was not given to a consumer')
    return this.lowLevel
  }

  joined(assignment: Assignment): void {
    const partitions = [...new Set(Object.values(assignment).flat())].sort((a, b) => a - b)
    this.mine = { generation: this.mine.generation + 1, partitions }
    this.guessed = true
  }

  /** Of the group; undefined until a heartbeat has told it. */
  get generation(): number | undefined {
    return this.guessed ? undefined : this.mine.generation
  }

  heartbeat(generation: number): void {
    this.mine = { ...this.mine, generation }
    this.guessed = false
  }
}

function assign(members: readonly GroupMember[], topics: readonly string[], cluster: Cluster) {
  const counts = new Map(topics.map(topic => [topic, cluster.findTopicPartitionMetadata(topic).length]))
  const claims = new Map(members.map(({ memberId, memberMetadata }) => [memberId, claimOf(memberMetadata)]))
  const plan = planAssignment(claims, Math.max(...counts.values()))
  return [...plan].map(([memberId, owned]) => {
    const assignment: Assignment = {}
    for (const [topic, count] of counts) {
      const partitions = owned.filter(partition => partition < count)
      if (partitions.length > 0) assignment[topic] = partitions
    }
    const memberAssignment = kafkajs.AssignerProtocol.MemberAssignment.encode({
      version: VERSION,
      assignment,
      userData: Buffer.alloc(0),
    })
    return { memberId, memberAssignment }
  })
}

function encodeClaim({ generation, partitions }: OwnershipClaim): Buffer {
  const data = Buffer.alloc(5 + 2 * partitions.length)
  data.writeInt8(VERSION, 0)
  data.writeInt32BE(generation, 1)
  partitions.forEach((partition, i) => data.writeInt16BE(partition, 5 + 2 * i))
  return data
}

/** Of a foreign or broken member: nothing. An error thrown while assigning would end the leader. */
function claimOf(metadata: Buffer): OwnershipClaim {
  try {
    const data = kafkajs.AssignerProtocol.MemberMetadata.decode(metadata)?.userData
    if (!data || data.length < 5 || data.readInt8(0) !== VERSION) return NOTHING
    const partitions: number[] = []
    for (let at = 5; at + 1 < data.length; at += 2) partitions.push(data.readInt16BE(at))
    return { generation: data.readInt32BE(1), partitions }
  } catch {
    return NOTHING
  }
}
