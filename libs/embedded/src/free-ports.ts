import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below what systems give to outgoing connections and to those who ask for any port: those come and go between look and use. */
const LOWEST_PORT = 15_000
const PAIRS = 8_500

/**
 * Ports that are free, all different, each with the one after it, which Kafka's controller takes. Nobody else who
 * asks here is given them while this process lives: a server that is stopped and started finds its port again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = LOWEST_PORT + 2 * randomInt(PAIRS)
    if ((await isOurs(port)) && (await portIsFree(port)) && (await portIsFree(port + 1))) ports.push(port)
  }
  return ports
}

export async function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  } catch {
    return false
  }
  await new Promise(resolve => server.close(resolve))
  return true
}

/** By a socket with a name, which Linux keeps in no file and takes away with its process. Elsewhere chance has to do. */
function isOurs(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true)
  const server = createServer().unref()
  return new Promise(resolve =>
    server.once('error', () => resolve(false)).listen(`\0posthorn-port-${port}`, () => resolve(true)),
  )
}
