import { expect, test } from '@jest/globals'
import { until } from '@posthorn/testkit'
import { KeptServer } from './kept-server.js'

/** Servers whose ends the test decides. */
function launcher() {
  const ends: ((how: string) => void)[] = []
  const launch = async () => {
    const pid = ends.length + 1
    const exited = new Promise<string>(resolve => ends.push(resolve))
    return { pid, exited, stop: async () => ends[pid - 1]!('asked') }
  }
  return { ends, launch }
}

test('a server that ends is started again, and its new pid is known', async () => {
  const { ends, launch } = launcher()
  const said: string[] = []
  let changes = 0
  const kept = new KeptServer(
    'kafka',
    launch,
    line => void said.push(line),
    () => void changes++,
  )
  await kept.start()
  expect(kept.pid).toBe(1)
  ends[0]!('signal SIGKILL')
  await until(() => kept.pid === 2, 30_000)
  expect([said, changes]).toEqual([['kafka ended (signal SIGKILL): starting it again'], 3])
  await kept.stop()
})

test('one that is stopped stays so', async () => {
  const { ends, launch } = launcher()
  const kept = new KeptServer(
    'kafka',
    launch,
    () => undefined,
    () => undefined,
  )
  await kept.start()
  await kept.stop()
  await until(() => kept.pid === undefined, 30_000)
  expect(ends).toHaveLength(1)
})
