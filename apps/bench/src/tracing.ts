import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { burst } from './drive.js'
import { EVENT_TYPE, payloadOf } from './load.js'
import { measure, platformCpu, type Measured } from './measure.js'
import { onPlatform, register } from './platform.js'
import { perSecond, printTable, round, type Row } from './table.js'

export interface TracingOptions {
  readonly events: number
  readonly rounds: number
}

const MODES = ['off', '1 %', '100 %'] as const
type Mode = (typeof MODES)[number]
const RATIOS: Readonly<Record<Exclude<Mode, 'off'>, string>> = { '1 %': '0.01', '100 %': '1' }
const WARM = 5000

/**
 * What tracing costs: the same load on platforms without it, with 1 % of the events recorded and with all of them, in
 * turn. Spans go to a collector that throws them away.
 */
export async function tracing({ events, rounds }: TracingOptions): Promise<void> {
  const collector = await startCollector()
  const measured: Record<Mode, Measured[]> = { off: [], '1 %': [], '100 %': [] }
  try {
    for (let nth = 0; nth < rounds; nth++)
      for (const mode of turned(nth)) {
        const before = collector.bytes
        measured[mode].push(await one(mode, collector.url, events))
        console.log(
          `${mode}: ${perSecond(measured[mode].at(-1)!.rate)}, ${round((collector.bytes - before) / events)} B of spans a delivery`,
        )
      }
  } finally {
    collector.close()
  }
  console.log(`\ntracing: ${events} events to one webhook, ${rounds} rounds, history written\n`)
  const off = measured.off
  printTable(['spans', 'deliveries, median', 'of off', 'CPU per delivery', 'of off', 'rates'], MODES.map(row))

  function row(mode: Mode): Row {
    const [rates, cpu] = [rateOf, platformCpu].map(of => measured[mode].map(of)) as [number[], number[]]
    const [rate, us] = [median(rates), median(cpu)]
    return [
      mode,
      perSecond(rate),
      round(rate / median(off.map(rateOf)), 3),
      `${round(us)} µs`,
      round(us / median(off.map(platformCpu)), 3),
      rates.map(each => round(each)).join(', '),
    ]
  }
}

const rateOf = ({ rate }: Measured) => rate
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!
/** Each is first, second and third as often. */
const turned = (nth: number) => MODES.map((_, index) => MODES[(index + nth) % MODES.length]!)

async function one(mode: Mode, url: string, events: number): Promise<Measured> {
  const payload = payloadOf('1k')
  const env: Record<string, string> =
    mode === 'off' ? {} : { POSTHORN_TRACE_OTLP_URL: url, POSTHORN_TRACE_RATIO: RATIOS[mode] }
  let measured: Measured | undefined
  await onPlatform(async platform => {
    await register(platform, 1, () => ({ path: '/hook', events: [EVENT_TYPE] }))
    await burst(platform, Math.min(WARM, events), { payload })
    measured = await measure(platform, events, () => burst(platform, events, { payload }))
  }, env)
  return measured!
}

interface Collector {
  readonly url: string
  readonly bytes: number
  close(): void
}

async function startCollector(): Promise<Collector> {
  let bytes = 0
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get bytes() {
      return bytes
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
