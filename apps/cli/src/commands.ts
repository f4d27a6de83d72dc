import type { Noun } from './admin/verb.js'
import type { Command, Terminal } from './command.js'

type Load = () => Promise<{ run: Command['run'] }>

/** Loaded when called, so that each starts with only what it needs. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  start: command(
    '',
    'starts everything, sends real events and shows what the receiver got',
    () => import('./start.js'),
    ['start'],
  ),
  up: command('[--json] [--processes]', 'starts everything and stays until Ctrl-C', () => import('./up.js'), [
    'up --json --processes',
  ]),
  smoke: command(
    '[--fresh] [--api-url <url> --publish-url <url> --key <key>] [--receiver <url> | --listen <host:port> --reached-at <url>]',
    'sends one event through the running stack, a fresh one, or one elsewhere',
    () => import('./smoke.js'),
    ['smoke --fresh', 'smoke --api-url https://hooks.example.com --receiver https://example.com/hook'],
  ),
  reset: command('', 'stops what is left over and removes the data folder', () => import('./reset.js'), ['reset']),
  webhooks: noun('where events go', 'WEBHOOKS', () => import('./admin/webhooks.js')),
  events: noun('what happened', 'EVENTS', () => import('./admin/events.js')),
  deliveries: noun('what became of events', 'DELIVERIES', () => import('./admin/deliveries.js')),
  explain: command(
    '<delivery> [--api-url <url>] [--key <key>] [--tenant <id>] [--json]',
    'says why a delivery stands where it stands, when it goes on, and what to do',
    explaining,
    ['explain delivery_01jz8m0'],
  ),
  'dead-letters': noun('deliveries that were given up', 'DEAD_LETTERS', () => import('./admin/dead-letters.js')),
  replays: noun('deliveries that are sent again', 'REPLAYS', () => import('./admin/replays.js')),
  stats: noun('how attempts went over time', 'STATS', () => import('./admin/stats.js')),
  filters: noun('patterns that pick events', 'FILTERS', () => import('./admin/filters.js')),
  types: noun('event types and their schemas', 'TYPES', () => import('./admin/types.js')),
  keys: noun('who may call the APIs', 'KEYS', () => import('./admin/keys.js')),
  tenants: noun(
    'whom webhooks and keys belong to (keys of the platform)',
    'TENANTS',
    () => import('./admin/tenants.js'),
  ),
  sources: noun(
    'topics of your own that events come from (keys of the platform)',
    'SOURCES',
    () => import('./admin/sources.js'),
  ),
  alerts: noun('what is to be looked at, by which rules, and who is told', 'ALERTS', () => import('./admin/alerts.js')),
  audit: noun('who changed what', 'AUDIT', () => import('./admin/audit.js')),
  poison: noun('records that could not be taken', 'POISON', () => import('./admin/poison.js')),
  trigger: command(
    '<type> [--set a.b=1]… [--id <id>] [--source <uri>] [--api-url <url>] [--publish-url <url>] [--key <key>] [--tenant <id>] [--json]',
    'publishes an event of a type with its example from the catalogue, changed by --set',
    () => import('./trigger.js'),
    ['trigger agent.created', 'trigger agent.created --set agent_id=a7 --set model=small-1'],
  ),
  sign: command(
    '[--secret <secret>]… [--id <id>] [--timestamp <seconds>] [--prefix webhook] [--signing standard|standard_sha512|hub|hex [--signing-header <name>]] [--json] [<file>]',
    'prints the headers that sign a body, of a file or stdin; POSTHORN_WEBHOOK_SECRET holds the secret',
    () => import('./sign.js'),
    ['sign body.json', 'sign --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw --id msg_1 --json -'],
  ),
  verify: command(
    "--header 'name: value'… [--secret <secret>]… [--at <seconds>] [--tolerance 300] [--prefix webhook] [--signing hub|hex [--signing-header <name>]] [--json] [<file>]",
    'says whether a request, its body of a file or stdin, is signed with a secret, and if not, why',
    () => import('./verify.js'),
    [
      "verify --header 'webhook-id: msg_1' --header 'webhook-timestamp: 1731705121' --header 'webhook-signature: v1,…' body.json",
      "verify --signing hub --header 'x-hub-signature-256: sha256=…' body.json",
      "verify --signing hex --signing-header x-acme-signature --header 'x-acme-signature: …' body.json",
    ],
  ),
  doctor: command(
    '[--egress <url>] [--api-url <url>] [--publish-url <url>] [--key <key>] [--tenant <id>] [--json]',
    'checks Kafka, topics, database, clocks, egress and the APIs, and says what to do',
    () => import('./doctor/doctor.js'),
    ['doctor', 'doctor --egress https://hooks.example.com --json'],
  ),
  topics: command(
    '[--apply] [--add-partitions] [--json] | --acls [--json]',
    'compares the topics with what is wanted, and changes them; or prints the ACLs of each service',
    () => import('./topics.js'),
    ['topics', 'topics --apply', 'topics --json', 'topics --acls'],
  ),
  secrets: command(
    'status | reseal [--json]',
    'says which master keys the secrets at rest are sealed by, and seals them anew by the first one',
    () => import('./master-keys.js'),
    ['secrets status', 'secrets reseal'],
  ),
  database: command(
    '--grants [--prefix posthorn_] [--owner posthorn] [--json]',
    'prints the SQL by which each service gets a role of its own in Postgres, with no more than its rights',
    () => import('./database.js'),
    ['database --grants', 'database --grants --owner app'],
  ),
  migrate: command('[--json]', 'brings the database to this version', () => import('./migrate.js'), ['migrate']),
  bench: command('<scenario> [options]', 'measures this machine', () => import('./bench.js'), [
    'bench throughput --events 50000',
  ]),
  faults: command(
    '[scenario…] [options]',
    'kills, freezes and takes away, and explains every repeat',
    () => import('./faults.js'),
    ['faults'],
  ),
  chart: command('[--tools]', 'makes the files of k8s/ that are made from others', () => import('./chart.js'), [
    'chart',
  ]),
  image: command(
    '[--base <image> | --stand-in-base] [--build-only]',
    'builds the image without an engine, measures it and starts every target from it',
    () => import('./image.js'),
    ['image', 'image --stand-in-base'],
  ),
  jaeger: command('', 'builds Jaeger and runs the test of traces with it', () => import('./jaeger.js'), ['jaeger']),
  dashboards: command(
    '',
    'makes the dashboards and alert rules of deploy/ from their source',
    () => import('./dashboards.js'),
    ['dashboards'],
  ),
  test: command('[pattern…]', 'runs all checks and tests, or the tests of some files', () => import('./test.js'), [
    'test',
    'test filter-index.spec',
  ]),
}

/** The same as `deliveries explain`. */
async function explaining(): Promise<{ run: Command['run'] }> {
  const [{ DELIVERIES }, { runNoun }] = await Promise.all([
    import('./admin/deliveries.js'),
    import('./admin/run-noun.js'),
  ])
  return { run: (args, terminal) => runNoun(DELIVERIES)(['explain', ...args], terminal) }
}

function command(usage: string, does: string, load: Load, examples: readonly string[]): Command {
  return {
    usage,
    does,
    examples,
    helps: false,
    run: async (args: readonly string[], terminal: Terminal) => (await load()).run(args, terminal),
  }
}

/** A command whose verbs, options and help are in the table that `name` exports. */
function noun<Name extends string>(does: string, name: Name, load: () => Promise<Record<Name, Noun>>): Command {
  const run = async (args: readonly string[], terminal: Terminal) => {
    const [table, { runNoun }] = await Promise.all([load(), import('./admin/run-noun.js')])
    return runNoun(table[name])(args, terminal)
  }
  return { usage: '<verb> [options]', does, examples: [], helps: true, run }
}
