import type { EventFields } from './event-fields.js'
import { parseAddress } from './filter-address.js'
import type { ExactField } from './filter.js'
import { isJsonObject, member } from './filter-match.js'
import type { Exact } from './filter-predicate.js'

/** Above this many wanted members, an object's own members are fewer to look at. */
const MANY = 16

interface Node<E> {
  readonly members: Map<string, Node<E>>
  /** Entries by wanted value. */
  readonly values: Map<unknown, Set<E>>
  /** Entries by wanted IP address, as parseAddress writes it. */
  readonly addresses: Map<string, Set<E>>
  /** Entries of all its values. */
  total: number
}

const emptyNode = <E>(): Node<E> => ({ members: new Map(), values: new Map(), addresses: new Map(), total: 0 })

/**
 * Entries by a field's exact value. A look-up walks the wanted fields and the event together, so it
 * costs what they have in common: entries that want another value of a field cost nothing.
 */
export class ExactIndex<E> {
  private readonly root = emptyNode<E>()

  get isEmpty(): boolean {
    return isEmpty(this.root)
  }

  /**
   * The share of events that may be expected to have one of the field's values, if the webhooks want
   * them as often as the events have them: low for a field of many values, of which these are rare.
   */
  share({ path, values }: ExactField): number {
    let node: Node<E> | undefined = this.root
    for (const step of path) node = node?.members.get(step)
    const wanted = node ? values.reduce((sum, value) => sum + (setOf(node, value)?.size ?? 0), 0) : 0
    return (wanted + values.length) / ((node?.total ?? 0) + 2)
  }

  add({ path, values }: ExactField, entry: E): void {
    let node = this.root
    for (const step of path) {
      let below = node.members.get(step)
      if (!below) node.members.set(step, (below = emptyNode()))
      node = below
    }
    for (const value of values) {
      const set = setOf(node, value) ?? newSet(node, value)
      if (!set.has(entry)) node.total++
      set.add(entry)
    }
  }

  remove({ path, values }: ExactField, entry: E): void {
    removeBelow(this.root, path, 0, values, entry)
  }

  /** Calls `found` with every entry that wants a value the event has, perhaps more than once. */
  visit(event: EventFields, found: (entry: E) => void): void {
    for (const [name, node] of this.root.members)
      if (name !== 'data') visitValue(node, member(event.attributes, name), found)
      else if (event.data.kind === 'json') visitValue(node, event.data.value, found)
  }
}

function setOf<E>(node: Node<E>, value: Exact): Set<E> | undefined {
  return value.kind === 'address' ? node.addresses.get(value.address) : node.values.get(value.value)
}

function newSet<E>(node: Node<E>, value: Exact): Set<E> {
  const set = new Set<E>()
  if (value.kind === 'address') node.addresses.set(value.address, set)
  else node.values.set(value.value, set)
  return set
}

function isEmpty<E>({ members, values, addresses }: Node<E>): boolean {
  return members.size === 0 && values.size === 0 && addresses.size === 0
}

function removeBelow<E>(node: Node<E>, path: readonly string[], at: number, values: readonly Exact[], entry: E): void {
  const step = path[at]
  if (step === undefined) return values.forEach(value => removeValue(node, value, entry))
  const below = node.members.get(step)
  if (!below) return
  removeBelow(below, path, at + 1, values, entry)
  if (isEmpty(below)) node.members.delete(step)
}

function removeValue<E>(node: Node<E>, value: Exact, entry: E): void {
  const set = setOf(node, value)
  if (set?.delete(entry)) node.total--
  if (set?.size !== 0) return
  if (value.kind === 'address') node.addresses.delete(value.address)
  else node.values.delete(value.value)
}

function visitValue<E>(node: Node<E>, value: unknown, found: (entry: E) => void): void {
  if (value === undefined) return
  if (Array.isArray(value)) for (const element of value) visitValue(node, element, found)
  else if (isJsonObject(value)) visitMembers(node, value, found)
  else {
    node.values.get(value)?.forEach(found)
    if (node.addresses.size > 0 && typeof value === 'string') visitAddress(node, value, found)
  }
}

function visitMembers<E>({ members }: Node<E>, object: object, found: (entry: E) => void): void {
  if (members.size <= MANY) for (const [name, below] of members) visitValue(below, member(object, name), found)
  else
    for (const [name, value] of Object.entries(object)) {
      const below = members.get(name)
      if (below) visitValue(below, value, found)
    }
}

function visitAddress<E>({ addresses }: Node<E>, text: string, found: (entry: E) => void): void {
  const address = parseAddress(text)
  if (address !== undefined) addresses.get(address)?.forEach(found)
}
