import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '@posthorn/embedded'

export interface Jaeger {
  /** Base URL for OTLP/HTTP. */
  readonly otlp: string
  /** The trace as Jaeger has it, in OTLP's JSON; undefined: it has none of this id. */
  trace(id: string): Promise<string | undefined>
  stop(): Promise<void>
}

/** Starts the program on free ports; it keeps what it gets in memory. `dir` is for its configuration. */
export async function startJaeger(program: string, dir: string): Promise<Jaeger> {
  const [http, grpc, otlp] = (await freePorts(3)) as [number, number, number]
  const file = join(dir, 'jaeger.json')
  writeFileSync(file, JSON.stringify(configuration(http, grpc, otlp)))
  // Of itself it would send traces to where nobody is.
  const env = { ...process.env, OTEL_TRACES_SAMPLER: 'always_off' }
  const child = spawn(program, ['--config', file], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const api = `http://127.0.0.1:${http}/api`
  while (!(await answers(`${api}/services`))) {
    if (child.exitCode !== null) throw new Error(`Jaeger ended with ${child.exitCode}; its words are above`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return {
    otlp: `http://127.0.0.1:${otlp}`,
    async trace(id) {
      const response = await fetch(`${api}/v3/traces/${id}`)
      return response.ok ? response.text() : undefined
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

const answers = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

function configuration(http: number, grpc: number, otlp: number): object {
  const on = (port: number) => ({ endpoint: `127.0.0.1:${port}` })
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 10_000 } } } },
      jaeger_query: { storage: { traces: 'memory' }, http: on(http), grpc: on(grpc) },
    },
    receivers: { otlp: { protocols: { http: on(otlp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  }
}
