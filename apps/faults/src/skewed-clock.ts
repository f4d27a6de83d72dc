// Loaded into each service before anything else (--import): its wall clock is off by what stands in a
// file named after its target, in ms. The monotonic clock and timers go on, as when a real clock is set.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const LOOK_EVERY_MS = 50
const target = process.argv.find(arg => arg.startsWith('--target='))?.slice('--target='.length)
const folder = process.env.FAULTS_CLOCKS

if (target !== undefined && folder !== undefined) skew(join(folder, target))

function skew(file: string): void {
  const Real = Date
  let offset = 0
  const look = () => {
    try {
      offset = Number(readFileSync(file, 'utf8'))
    } catch {
      offset = 0
    }
  }
  look()
  setInterval(look, LOOK_EVERY_MS).unref()
  const now = () => Real.now() + offset
  globalThis.Date = new Proxy(Real, {
    construct: (real, args: unknown[], made: NewableFunction) =>
      Reflect.construct(real, args.length === 0 ? [now()] : args, made) as Date,
    apply: () => new Real(now()).toString(),
    get: (real, name) => (name === 'now' ? now : (Reflect.get(real, name) as unknown)),
  })
}
