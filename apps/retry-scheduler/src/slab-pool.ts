const SLAB_BYTES = 32 * 1024
/** Longer copies would leave much of a slab empty: they stand alone. */
const MAX_SHARED_BYTES = SLAB_BYTES / 8
/** Idle slabs that are kept for the next use: 8 MiB; what a burst needed beyond goes to the collector. */
const MAX_IDLE = 256

/** Memory of several copies. */
export class Slab {
  readonly bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  used = 0
  /** Copies that are still needed. */
  live = 0
  /** Still written to by a shelf. */
  open = true
}

/** A copy, and the slab that must be told when it is not needed any more; none if it stands alone. */
export interface KeptBytes {
  readonly value: Buffer | null
  readonly slab?: Slab | undefined
}

/**
 * Bytes that wait for seconds outlive the quick rounds of the garbage collector, and 60 MB of them
 * gather before a slow one. So the memory of what has left is written over by what comes.
 */
export class SlabPool {
  private readonly idle: Slab[] = []

  take(): Slab {
    const slab = this.idle.pop() ?? new Slab()
    slab.open = true
    return slab
  }

  /** Once for every copy, when nothing reads it any more. */
  free(slab: Slab): void {
    if (--slab.live === 0) this.reuse(slab)
  }

  /** Nothing is added to the slab from now on. */
  close(slab: Slab): void {
    slab.open = false
    if (slab.live === 0) this.reuse(slab)
  }

  private reuse(slab: Slab): void {
    slab.used = 0
    if (!slab.open && this.idle.length < MAX_IDLE) this.idle.push(slab)
  }
}

/** Copies one behind the other: those of one shelf should be freed in about the order they were made. */
export class Shelf {
  private slab: Slab | undefined

  constructor(private readonly pool: SlabPool) {}

  keep(value: Buffer | null): KeptBytes {
    if (!value || value.length > MAX_SHARED_BYTES) return { value: value && Buffer.from(value), slab: undefined }
    const slab = this.slabFor(value.length)
    const copy = slab.bytes.subarray(slab.used, slab.used + value.length)
    value.copy(copy)
    slab.used += value.length
    slab.live++
    return { value: copy, slab }
  }

  private slabFor(length: number): Slab {
    if (this.slab && this.slab.used + length <= SLAB_BYTES) return this.slab
    if (this.slab) this.pool.close(this.slab)
    this.slab = this.pool.take()
    return this.slab
  }
}
