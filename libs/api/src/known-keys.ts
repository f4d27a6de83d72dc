import type { ApiKey, KeyDocument, SigningKey } from '@posthorn/topics'

/** The keys of keys.v1, for checking them without the database: those that are sent by hash, those that sign by id. */
export class KnownKeys {
  private readonly byHash = new Map<string, ApiKey>()
  private readonly hashes = new Map<string, string>()
  private readonly signing = new Map<string, SigningKey>()

  /** Takes the current document of a key; undefined when it is forgotten. */
  put(id: string, key: KeyDocument | undefined): void {
    const before = this.hashes.get(id)
    if (before !== undefined) this.byHash.delete(before)
    this.hashes.delete(id)
    this.signing.delete(id)
    if (key?.status !== 'active') return
    if (key.kind === 'signing') return void this.signing.set(id, key)
    this.hashes.set(id, key.hash)
    this.byHash.set(key.hash, key)
  }

  find(hash: string): ApiKey | undefined {
    return this.byHash.get(hash)
  }

  findSigning(id: string): SigningKey | undefined {
    return this.signing.get(id)
  }
}
