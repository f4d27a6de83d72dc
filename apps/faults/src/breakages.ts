import { setTimeout as sleep } from 'node:timers/promises'
import { diskFull, stopped, type Outage } from './database-away.js'
import { send } from './kills.js'
import type { Ledger } from './ledger.js'
import type { LineState } from './line.js'
import type { Seeded } from './seeded.js'
import type { Stage } from './stage.js'
import { disturbWires, WIRED, WIRE_FAULTS } from './wire-faults.js'

/** What there is to break, and where it is noted. */
export interface Scene extends Omit<Stage, 'close'> {
  readonly seeded: Seeded
  readonly ledger: Ledger
}

/** One way to break the platform; resolves when nothing is held down any more. */
export interface Breakage {
  readonly name: string
  run(scene: Scene): Promise<void>
}

export const SERVICES = ['ingest', 'registry', 'router', 'deliverer', 'retry-scheduler', 'replayer', 'monitor'] as const
/** Of these another one may come and go, and a member may be away for longer than its session. */
const CONSUMERS = ['router', 'deliverer', 'retry-scheduler', 'monitor'] as const
/** A deliverer's own times are what the ledger goes by: its clock stays right. */
const SKEWED = ['ingest', 'router', 'retry-scheduler', 'monitor'] as const
const BROKERS = [1, 2, 3]
/** A session is 10 s. */
const LONGER_THAN_SESSION_MS = 13_000

/** Each at least once in a round. */
export const BREAKAGES: readonly Breakage[] = [
  ...SERVICES.map(target => ({ name: `kill ${target}`, run: async (scene: Scene) => kill(scene, target) })),
  { name: 'kill all', run: async scene => SERVICES.forEach(target => kill(scene, target)) },
  ...CONSUMERS.map(target => ({ name: `freeze ${target}`, run: (scene: Scene) => freezeOne(scene, target) })),
  { name: 'storm of routers', run: scene => storm(scene, 'router') },
  { name: 'storm of deliverers', run: scene => storm(scene, 'deliverer') },
  { name: 'one broker away', run: scene => brokersAway(scene, [scene.seeded.pick(BROKERS)]) },
  { name: 'Kafka away', run: scene => brokersAway(scene, BROKERS) },
  { name: 'Postgres away', run: scene => databaseAway(scene, stopped) },
  { name: 'disk of Postgres full', run: scene => databaseAway(scene, diskFull) },
  ...(['slow', 'cut', 'half_open'] as const).map(state => ({
    name: `line ${state}`,
    run: (scene: Scene) => disturb(scene, state),
  })),
  ...WIRED.flatMap(wired =>
    WIRE_FAULTS.map(fault => ({
      name: `clients of ${wired} ${fault}`,
      run: (scene: Scene) => disturbWires(scene, scene, wired, fault),
    })),
  ),
  ...SKEWED.map(target => ({ name: `clock of ${target}`, run: (scene: Scene) => skew(scene, target) })),
]

function kill({ site, ledger }: Scene, target: string, pid = site.stack.currentPids()[target]): void {
  // One that is just starting again is no news.
  if (pid === undefined) return
  send(pid, 'SIGKILL', (from, to) => ledger.fault({ what: 'killed', target, pid, from, to }))
}

async function freezeOne({ site, ledger }: Scene, target: string): Promise<void> {
  const pid = site.stack.currentPids()[target]
  if (pid === undefined) return
  send(pid, 'SIGSTOP', (from, to) => ledger.fault({ what: 'frozen', target, pid, from, to }))
  await sleep(LONGER_THAN_SESSION_MS).finally(() => send(pid, 'SIGCONT', () => undefined))
}

/** Two more members come; one leaves as it should and one is killed. */
async function storm(scene: Scene, target: string): Promise<void> {
  const { site, seeded } = scene
  // One that finds no platform to join, because that is just recovering, gives up: no member then.
  const join = () => site.stack.startAlso(target).catch(() => undefined)
  const [leaving, killed] = await Promise.all([join(), join()])
  await sleep(seeded.between(1000, 4000))
  await leaving?.stop()
  await sleep(seeded.between(0, 2000))
  if (killed) kill(scene, target, killed.pid)
  await killed?.stop()
}

async function brokersAway({ cluster, brokers, seeded, ledger }: Scene, ids: readonly number[]): Promise<void> {
  const from = Date.now()
  // Nobody listens where a broker is dead.
  await Promise.all(ids.flatMap(id => [cluster.kill(id), brokers.get(id)!.refuse()]))
  await sleep(seeded.between(2000, 8000))
  await Promise.all(ids.map(id => brokers.get(id)!.accept()))
  // Together: one alone is no majority and does not answer.
  await Promise.all(ids.map(id => cluster.restart(id)))
  ledger.fault({ what: 'away', target: ids.length > 1 ? 'kafka' : 'broker', from, to: Date.now() })
}

/** Postgres does not do its work, then dies; its supervisor starts it again. */
async function databaseAway({ site, seeded, ledger }: Scene, outage: Outage): Promise<void> {
  const from = Date.now()
  await outage(site, sleep(seeded.between(3000, 8000)))
  const pid = site.stack.currentPids().postgres
  if (pid !== undefined) send(pid, 'SIGKILL', () => undefined)
  ledger.fault({ what: 'away', target: 'postgres', from, to: Date.now() })
}

async function disturb({ line, seeded, ledger }: Scene, state: Exclude<LineState, 'well'>): Promise<void> {
  const from = Date.now()
  line.set(state)
  await sleep(seeded.between(3000, 7000)).finally(() => line.set('well'))
  ledger.fault({ what: 'disturbed', target: `line (${state})`, from, to: Date.now() })
}

/** What a scheduler reads while it is behind comes so much later, and a run waits for all of it. */
function longestSkewMs(target: string): number {
  return target === 'retry-scheduler' ? 120_000 : 3600_000
}

async function skew({ clocks, seeded, ledger }: Scene, target: string): Promise<void> {
  const from = Date.now()
  clocks.set(target, seeded.pick([-1, 1]) * seeded.between(30_000, longestSkewMs(target)))
  await sleep(seeded.between(2000, 6000)).finally(() => clocks.set(target, 0))
  ledger.fault({ what: 'disturbed', target: `clock of ${target}`, from, to: Date.now() })
}
