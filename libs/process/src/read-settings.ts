import { plainToInstance } from 'class-transformer'
import { validateSync } from 'class-validator'
import { readAlertRules } from './alert-rules.js'
import { readEgressCa } from './egress-ca.js'
import { readKafkaSecurity } from './kafka-security.js'
import { readSecretFiles } from './secret-files.js'
import { checkServerTls } from './server-tls.js'
import { FIELDS, PREFIX } from './setting.js'
import { Settings } from './settings.js'

/** The environment does not fit; each problem names its variable. Fix the variables and start again. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map(problem => `  ${problem}`).join('\n')}`)
    this.name = 'SettingsError'
  }
}

/**
 * Reads and checks the environment. Variables outside `known` that start with POSTHORN_ are
 * refused, so that a misspelt one does not pass in silence; `alsoKnown` are those of other programs.
 */
export function readSettings(env: NodeJS.ProcessEnv, alsoKnown: readonly string[] = []): Settings {
  const problems: string[] = []
  const values: Record<string, string> = {}
  for (const [variable, value] of Object.entries(readSecretFiles(env, problems))) {
    if (!variable.startsWith(PREFIX) || value === undefined) continue
    const field = FIELDS.get(variable)
    // An empty variable means "not set", except where empty is a value of its own.
    if (field !== undefined && (value !== '' || field === 'ingestDefaultTenant' || field === 'kafkaPrefix'))
      values[field] = value
    else if (field === undefined && !alsoKnown.some(known => variable.startsWith(known)))
      problems.push(`${variable} is not a setting of Posthorn: correct or remove it (docs/configuration.md lists all).`)
  }
  const settings = plainToInstance(Settings, values, { exposeDefaultValues: true })
  const variableOf = new Map([...FIELDS].map(([variable, field]) => [field, variable]))
  for (const error of validateSync(settings, { forbidUnknownValues: false }))
    problems.push(`${variableOf.get(error.property)}: ${Object.values(error.constraints ?? {}).join('; ')}.`)
  settings.kafkaSecurity = readKafkaSecurity(settings, problems)
  checkServerTls(settings, problems)
  settings.alertRules = readAlertRules(settings.monitorAlertRules, problems)
  settings.egressCa = readEgressCa(settings.egressCaFile, problems)
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}
