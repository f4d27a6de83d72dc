import { renameSync, writeFileSync } from 'node:fs'

/** Writes beside and renames: a reader sees the old text or the new one. For the owner's eyes only: it may hold keys. */
export function replaceFile(file: string, text: string): void {
  const partial = `${file}.${process.pid}`
  writeFileSync(partial, text, { mode: 0o600 })
  renameSync(partial, file)
}
