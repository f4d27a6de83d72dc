import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Telemetry } from '@posthorn/telemetry'

/** A reason not to be ready, or undefined when all is well. */
export type Probe = () => string | undefined

/**
 * The process's health, told over HTTP for Kubernetes and people. Ready: every service has joined
 * its group, read its tables and listens. Live: every loop turns or is deliberately paused; whether
 * a broker or the database can be reached never counts, because a restart does not bring them back.
 */
export class Health {
  private readonly readiness = new Map<string, Probe>()
  private readonly liveness = new Map<string, Probe>()
  private started = false
  private draining = false
  private server?: Server

  constructor(private readonly telemetry: Telemetry) {}

  addReadiness(name: string, probe: Probe): void {
    this.readiness.set(name, probe)
  }

  addLiveness(name: string, probe: Probe): void {
    this.liveness.set(name, probe)
  }

  markStarted(): void {
    this.started = true
  }

  /** From now on not ready, so that no new work is sent here. */
  markDraining(): void {
    this.draining = true
  }

  /** Why the process is not ready, by probe; empty when it is. */
  notReady(): Record<string, string> {
    if (this.draining) return { process: 'is shutting down' }
    if (!this.started) return { process: 'is starting' }
    return reasons(this.readiness)
  }

  /** Listens; resolves with the port. Rejects when the port is taken. */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer((request, response) => {
      const path = request.url?.split('?')[0]
      if (path === '/metrics') return this.telemetry.scrape(request, response)
      const found =
        path === '/readyz'
          ? this.notReady()
          : path === '/livez'
            ? reasons(this.liveness)
            : path === '/startupz'
              ? this.started
                ? {}
                : { process: 'is starting' }
              : undefined
      const status = found === undefined ? 404 : Object.keys(found).length > 0 ? 503 : 200
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(
          status === 404
            ? { status: 'unknown path' }
            : status === 200
              ? { status: 'ok' }
              : { status: 'failing', reasons: found },
        ) + '\n',
      )
    })
    this.server = server
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
    return (server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections()
    await new Promise(resolve => (this.server ? this.server.close(resolve) : resolve(undefined)))
  }
}

function reasons(probes: ReadonlyMap<string, Probe>): Record<string, string> {
  const failing: Record<string, string> = {}
  for (const [name, probe] of probes) {
    const reason = probe()
    if (reason !== undefined) failing[name] = reason
  }
  return failing
}
