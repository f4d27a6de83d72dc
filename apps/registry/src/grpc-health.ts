import { createServer, type AddressInfo } from 'node:net'
import type { INestApplication } from '@nestjs/common'
import { Transport, type MicroserviceOptions } from '@nestjs/microservices'
import { HealthImplementation, protoPath } from 'grpc-health-check'

const CHECK_EVERY_MS = 250

/**
 * grpc.health.v1 (Check and Watch) of the whole server, for load balancers and probes that speak gRPC.
 * The package is not listed to Nest: it would look for controllers of it, and there are none.
 */
export class GrpcHealth {
  private readonly health = new HealthImplementation({ '': 'NOT_SERVING' })
  private readonly timer: NodeJS.Timeout
  private serving = false
  private draining = false

  private constructor(
    readonly address: string,
    private readonly readiness: () => string | undefined,
  ) {
    this.timer = setInterval(() => this.update(), CHECK_EVERY_MS).unref()
  }

  /** Listens on the app's behalf; SERVING while `readiness` gives no reason against it. */
  static async serve(
    app: INestApplication,
    host: string,
    port: number,
    readiness: () => string | undefined,
  ): Promise<GrpcHealth> {
    const address = `${host}:${port === 0 ? await freePort(host) : port}`
    const served = new GrpcHealth(address, readiness)
    app.connectMicroservice<MicroserviceOptions>({
      transport: Transport.GRPC,
      options: {
        package: [],
        protoPath,
        url: address,
        onLoadPackageDefinition: (_definition, server) => served.health.addToServer(server),
      },
    })
    await app.startAllMicroservices()
    return served
  }

  /** NOT_SERVING from now on. */
  drain(): void {
    this.draining = true
    clearInterval(this.timer)
    this.update()
  }

  private update(): void {
    const serving = !this.draining && this.readiness() === undefined
    if (serving === this.serving) return
    this.serving = serving
    this.health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING')
  }
}

/** Nest does not say which port the system gave, so it is asked for one before. */
async function freePort(host: string): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, host, resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}
