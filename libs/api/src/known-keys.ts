import type { ApiKey } from '@posthorn/topics'

/** The keys of keys.v1 by their hash, for checking them without the database. */
export class KnownKeys {
  private readonly byHash = new Map<string, ApiKey>()
  private readonly hashes = new Map<string, string>()

  /** Takes the current document of a key; undefined when it is forgotten. */
  put(id: string, key: ApiKey | undefined): void {
    const before = this.hashes.get(id)
    if (before !== undefined) this.byHash.delete(before)
    this.hashes.delete(id)
    if (key?.status !== 'active') return
    this.hashes.set(id, key.hash)
    this.byHash.set(key.hash, key)
  }

  find(hash: string): ApiKey | undefined {
    return this.byHash.get(hash)
  }
}
