import { createReadStream } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One line of the store. */
export interface StoredRequest {
  readonly id: string
  readonly type: string | undefined
  /** RFC 3339. */
  readonly receivedAt: string
  readonly body: string
}

interface Waiting {
  readonly line: string
  resolve(): void
  reject(error: unknown): void
}

/**
 * Step 2: a file of JSON lines, one for each webhook-id, forced to the disk before the request is
 * answered: after the 200 nobody sends it again. A receiver with a database uses a table with the
 * webhook-id as its primary key instead.
 */
export class Store {
  private readonly pending = new Map<string, Promise<void>>()
  private waiting: Waiting[] = []
  private flushing: Promise<void> | undefined

  private constructor(
    private readonly file: FileHandle,
    private readonly ids: Set<string>,
    private size: number,
  ) {}

  /** Opens or makes the file in `folder`, and reads which ids it holds. */
  static async open(folder: string): Promise<Store> {
    await mkdir(folder, { recursive: true })
    const path = join(folder, 'received.jsonl')
    const file = await open(path, 'a+').then(async created => {
      await created.close()
      return open(path, 'r+')
    })
    const ids = await readIds(path)
    const { size } = await file.stat()
    return new Store(file, ids, await endLastLine(file, size))
  }

  has(id: string): boolean {
    return this.ids.has(id)
  }

  /** Resolves once the request is on the disk; `duplicate` when its id was there before. */
  async add(request: StoredRequest): Promise<'stored' | 'duplicate'> {
    const other = this.pending.get(request.id)
    if (other) await other
    if (this.ids.has(request.id)) return 'duplicate'
    const written = this.write(`${JSON.stringify(request)}\n`)
    this.pending.set(request.id, written)
    try {
      await written
      this.ids.add(request.id)
      return 'stored'
    } finally {
      this.pending.delete(request.id)
    }
  }

  /** Finishes what is being written. */
  async close(): Promise<void> {
    await this.flushing
    await this.file.close()
  }

  private write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ line, resolve, reject })
      this.flushing ??= this.flush()
    })
  }

  /** One write and one sync at a time, for all that came in during the one before: load makes its own batches. */
  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting
      this.waiting = []
      try {
        await this.append(Buffer.from(batch.map(({ line }) => line).join('')))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.flushing = undefined
  }

  private async append(bytes: Buffer): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;)
        done += (await this.file.write(bytes, done, bytes.length - done, this.size + done)).bytesWritten
      await this.file.datasync()
    } catch (error) {
      // A half-written line must not swallow the next one.
      await this.file.truncate(this.size).catch(() => undefined)
      throw error
    }
    this.size += bytes.length
  }
}

async function readIds(path: string): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    try {
      ids.add((JSON.parse(line) as StoredRequest).id)
    } catch {
      // Cut off by a crash: its request was never answered with 200 and comes again.
    }
  }
  return ids
}

/** Ends a line that a crash cut off, so that the next one begins at its own start; resolves with the new size. */
async function endLastLine(file: FileHandle, size: number): Promise<number> {
  if (size === 0) return 0
  const last = Buffer.alloc(1)
  await file.read(last, 0, 1, size - 1)
  if (last.toString() === '\n') return size
  await file.write('\n', size)
  return size + 1
}
