/** Takes one finished line for a person who waits. */
export type Progress = (line: string) => void

/** Steps shorter than this are not worth a line. */
const WORTH_A_LINE_MS = 1000

/** Does the work; when it takes longer than a second, says so while it lasts and how long it took. */
export async function step<T>(progress: Progress, label: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const timer = setTimeout(() => progress(`${label} …`), WORTH_A_LINE_MS)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
    const took = performance.now() - started
    if (took >= WORTH_A_LINE_MS) progress(`${label}: ${(took / 1000).toFixed(1)} s`)
  }
}
