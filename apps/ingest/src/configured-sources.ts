import { readNamedFile, SettingsError, type Settings } from '@posthorn/process'
import { foreignTopicFault } from '@posthorn/topics'
import { parseSource, type Source } from '@posthorn/webhook'

/** Ids of the API start so; a configured source must not be taken for one. */
const RESERVED_ID = /^source_/
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** The sources that the environment names, in its order. Throws SettingsError, which says index and field. */
export function configuredSources(settings: Settings): readonly Source[] {
  const { ingestSources: text, ingestSourcesFile: path } = settings
  if (text !== undefined && path !== undefined)
    throw new SettingsError(['POSTHORN_INGEST_SOURCES_FILE: POSTHORN_INGEST_SOURCES is set, too; remove one of them.'])
  if (text !== undefined) return readAll('POSTHORN_INGEST_SOURCES', text, settings.kafkaPrefix)
  if (path !== undefined) return readAll('POSTHORN_INGEST_SOURCES_FILE', readFile(path), settings.kafkaPrefix)
  return []
}

function readFile(path: string): string {
  const problems: string[] = []
  const text = readNamedFile('POSTHORN_INGEST_SOURCES_FILE', path, problems)
  if (text === undefined) throw new SettingsError(problems)
  return text
}

function readAll(variable: string, text: string, prefix: string): readonly Source[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new SettingsError([`${variable}: is not JSON: ${(error as Error).message}.`])
  }
  if (!Array.isArray(json)) throw new SettingsError([`${variable}: must be a JSON array of sources.`])
  const problems: string[] = []
  const sources = new Map<string, Source>()
  json.forEach((entry: unknown, index) => {
    const fault = (pointer: string, message: string) => problems.push(`${variable}: /${index}${pointer} ${message}.`)
    const source = readOne(entry, prefix, fault)
    if (!source) return
    if (sources.has(source.id)) fault('/id', `"${source.id}" is the id of another source, too`)
    sources.set(source.id, source)
  })
  if (problems.length > 0) throw new SettingsError(problems)
  return [...sources.values()]
}

function readOne(
  entry: unknown,
  prefix: string,
  fault: (pointer: string, message: string) => void,
): Source | undefined {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    fault('', 'must be an object')
    return undefined
  }
  const { id, ...rest } = entry as Record<string, unknown>
  const isId = typeof id === 'string' && ID.test(id) && !RESERVED_ID.test(id)
  if (!isId)
    fault('/id', id === undefined ? 'is required' : 'must be 1 to 64 of A-Z a-z 0-9 _ -, and not start with "source_"')
  const parsed = parseSource(rest)
  if (parsed.kind === 'bad') for (const { pointer, message } of parsed.problems) fault(pointer, message)
  if (parsed.kind === 'bad' || !isId) return undefined
  const { definition } = parsed
  const own = definition.topic === undefined ? undefined : foreignTopicFault(definition.topic, prefix)
  if (own !== undefined) fault('/topic', own)
  return { id, version: 0, status: 'active', ...definition }
}
