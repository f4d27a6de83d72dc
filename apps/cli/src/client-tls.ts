import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { CommandFault } from './command.js'

const CA = 'POSTHORN_CA_FILE'
const CERT = 'POSTHORN_CLIENT_CERT_FILE'
const KEY = 'POSTHORN_CLIENT_KEY_FILE'
/** Of the command line alone: services do not know them. */
export const CLIENT_TLS_VARIABLES = [CA, CERT, KEY] as const

/** Has all requests of this process trust the CA and show the certificate that the environment names. Throws CommandFault. */
export async function useClientTls(env: NodeJS.ProcessEnv): Promise<void> {
  const [ca, cert, key] = CLIENT_TLS_VARIABLES.map(variable => fileOf(variable, env[variable]))
  if (ca === undefined && cert === undefined && key === undefined) return
  if ((cert === undefined) !== (key === undefined)) throw new CommandFault(`${CERT} and ${KEY} are needed together.`)
  const { Agent, install, setGlobalDispatcher } = await import('undici')
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] }
  setGlobalDispatcher(new Agent({ connect: { ...trusted, ...(cert === undefined ? {} : { cert, key }) } }))
  // Node's own fetch has a dispatcher of its own.
  install()
}

function fileOf(variable: string, path: string | undefined): string | undefined {
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFault(`${variable}: cannot read ${path} (${(error as NodeJS.ErrnoException).code}).`)
  }
}
