import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ReflectionService } from '@grpc/reflection'
import type { INestApplication } from '@nestjs/common'
import { Transport, type MicroserviceOptions } from '@nestjs/microservices'
import { HealthImplementation, protoPath } from 'grpc-health-check'
import { PROTO_DIR, PROTO_OPTIONS } from './grpc-message.js'
import { traceCalls } from './server-spans.js'
import { GrpcTls, type TlsSource } from './tls.js'

const CHECK_EVERY_MS = 250

export interface GrpcServerOptions {
  readonly host: string
  readonly port: number
  /** Packages whose edges the app has. */
  readonly packages: readonly string[]
  /** Their files, below the folder of the .proto files. */
  readonly files: readonly string[]
  /** Bytes of the largest message that is read. */
  readonly messageLimit: number
  /** Why the server should get no calls now; undefined when all is well. */
  readonly readiness: () => string | undefined
  /** Whether calls have spans. */
  readonly traced: boolean
  /** Absent: plain. */
  readonly tls?: TlsSource | undefined
}

/**
 * The gRPC server of an app: its edges, grpc.health.v1 (Check and Watch) for load balancers and probes,
 * and reflection. The health package is not listed to Nest: it would look for controllers of it.
 */
export class GrpcServer {
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
  static async serve(app: INestApplication, options: GrpcServerOptions): Promise<GrpcServer> {
    const { host, port, packages, files, messageLimit, readiness, traced, tls } = options
    const address = `${host}:${port === 0 ? await freePort(host) : port}`
    const served = new GrpcServer(address, readiness)
    app.connectMicroservice<MicroserviceOptions>({
      transport: Transport.GRPC,
      options: {
        package: [...packages],
        protoPath: [protoPath, ...files.map(file => join(PROTO_DIR, file))],
        loader: { ...PROTO_OPTIONS, includeDirs: [PROTO_DIR] },
        url: address,
        ...(tls ? { credentials: new GrpcTls(tls) } : {}),
        ...(traced ? { channelOptions: { interceptors: [traceCalls] } } : {}),
        maxReceiveMessageLength: messageLimit,
        onLoadPackageDefinition: (definition, server) => {
          served.health.addToServer(server)
          new ReflectionService(definition).addToServer(server)
        },
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

/** Below what systems give to outgoing connections: those come and go between look and use. */
const [LOWEST_PORT, HIGHEST_PORT] = [15_000, 32_000]

/** Nest does not say which port the system gave, so one is looked for before. */
async function freePort(host: string): Promise<number> {
  const port = randomInt(LOWEST_PORT, HIGHEST_PORT)
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(port, host, resolve))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort(host)
    throw error
  }
  await new Promise(resolve => probe.close(resolve))
  return port
}
