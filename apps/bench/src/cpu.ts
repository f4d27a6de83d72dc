import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks of /proc/<pid>/stat are 10 ms on every Linux that Node runs on. */
const TICK_US = 10_000

interface Stat {
  readonly parent: number
  /** Own time and that of children that have ended, µs. */
  readonly cpuUs: number
}

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number)
    return { parent: Number(fields[1]), cpuUs: (utime! + stime! + cutime! + cstime!) * TICK_US }
  } catch {
    return undefined
  }
}

/** CPU that a process and those below it have used so far, µs, but for the trees of `others`: Postgres is a tree of its own below the supervisor. */
function cpuOf(pid: number, others: ReadonlySet<number>): number {
  const stats = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    const read = /^\d+$/.test(name) ? stat(Number(name)) : undefined
    if (read) stats.set(Number(name), read)
  }
  const sum = (of: number): number => {
    let total = stats.get(of)?.cpuUs ?? 0
    for (const [child, { parent }] of stats) if (parent === of && !others.has(child)) total += sum(child)
    return total
  }
  return sum(pid)
}

/** Peak resident memory of a process, bytes. */
export function peakMemoryOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Resident memory of a process now, bytes. */
export function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

export type CpuReading = Readonly<Record<string, number>>

export function readCpu(pids: Readonly<Record<string, number>>): CpuReading {
  const named = new Set(Object.values(pids))
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid, named)]))
}

/** What each process used between two readings, µs. */
export function cpuBetween(before: CpuReading, after: CpuReading): Record<string, number> {
  return Object.fromEntries(Object.keys(after).map(name => [name, after[name]! - (before[name] ?? 0)]))
}
