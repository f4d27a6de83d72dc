import { readFileSync } from 'node:fs'

const SUFFIX = '_FILE'
/** Each may also stand in a file, such as a mounted secret, named by the variable with _FILE behind it. */
const SECRETS = [
  'POSTHORN_DATABASE_URL',
  'POSTHORN_AUTH_PLATFORM_KEY',
  'POSTHORN_SEALING_KEYS',
  'POSTHORN_KAFKA_SASL_PASSWORD',
  'POSTHORN_EGRESS_PROXY_URL',
  'POSTHORN_MONITOR_SMTP_URL',
] as const

/**
 * The environment with secrets read from the files that it names; white space around a file's
 * content is not part of it. What cannot be read is added to `problems`.
 */
export function readSecretFiles(env: NodeJS.ProcessEnv, problems: string[]): NodeJS.ProcessEnv {
  const result = { ...env }
  for (const variable of SECRETS) {
    const path = env[variable + SUFFIX]
    delete result[variable + SUFFIX]
    if (!path) continue
    if (env[variable]) problems.push(`${variable + SUFFIX}: ${variable} is set, too; remove one of them.`)
    const content = readNamedFile(variable + SUFFIX, path, problems)?.trim()
    if (content === '') problems.push(`${variable + SUFFIX}: ${path} is empty.`)
    result[variable] = content
  }
  return result
}

/** The text of the file that `variable` names; undefined, and a problem, when it cannot be read. */
export function readNamedFile(variable: string, path: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    problems.push(`${variable}: cannot read ${path} (${(error as NodeJS.ErrnoException).code}).`)
    return undefined
  }
}
