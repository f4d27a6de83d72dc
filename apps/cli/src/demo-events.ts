import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { BUILT_IN_EVENT_TYPES } from '@posthorn/catalogue'

/** A CloudEvent as any producer of the user's own would make it. */
export interface DemoEvent {
  readonly type: string
  readonly source: string
  /** What must stay in order together: the repository, or the family of types. */
  readonly key: string
  readonly data: unknown
}

interface GithubExamples {
  readonly name: string
  readonly examples: readonly { readonly action?: string; readonly repository?: { readonly full_name?: string } }[]
}

/** A message for kafkajs, in the binary mode of the CloudEvents Kafka binding. */
export function kafkaMessage(event: DemoEvent, now: Date) {
  return {
    key: event.key,
    value: JSON.stringify(event.data),
    headers: {
      ce_specversion: '1.0',
      ce_id: randomUUID(),
      ce_source: event.source,
      ce_type: event.type,
      ce_time: now.toISOString(),
      'content-type': 'application/json',
    },
  }
}

/** Real payloads of GitHub and the built-in types in turn, for ever; the first shows a failure and its retry. */
export function* demoEvents(): Generator<DemoEvent, never> {
  const github = githubEvents()
  const builtIn = builtInEvents()
  for (let turn = 0; ; turn++) {
    yield builtIn[turn % builtIn.length]!
    // By steps of a prime, so that neighbours are of different kinds.
    yield github[(turn * 41) % github.length]!
  }
}

export function builtInEvents(): DemoEvent[] {
  const events = BUILT_IN_EVENT_TYPES.map(({ type, example }) => ({
    type,
    source: 'https://posthorn.example/demo',
    key: type.split('.')[0]!,
    data: example,
  }))
  return [...events.filter(isFailing), ...events.filter(event => !isFailing(event))]
}

const isFailing = ({ type }: DemoEvent) => type === 'agent.error'

export function githubEvents(): DemoEvent[] {
  // A JSON file with a "module" field in front: only require takes it in every Node.
  const kinds = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly GithubExamples[]
  return kinds.flatMap(({ name, examples }) =>
    examples.map(data => ({
      type: data.action === undefined ? `github.${name}` : `github.${name}.${data.action}`,
      source: 'https://github.com',
      key: data.repository?.full_name ?? name,
      data,
    })),
  )
}
