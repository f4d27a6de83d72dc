// Longer than files are here: one table of all methods, each through both edges of one running registry.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { messageOf } from '@posthorn/api'
import { HistoryPartitions, HistoryWriter, openHistoryPool } from '@posthorn/store'
import { createAuthority } from '@posthorn/testkit'
import { deliveryId } from '@posthorn/webhook'
import { poisonId } from './poison-id.js'
import { TestRegistry, type RpcFailure } from './test-registry.js'

/*
 * Each use case through both edges. What changes something is run on a twin of its own by each, and
 * the answers are compared without what differs by nature: ids, times and secrets.
 */

let registry: TestRegistry
beforeAll(async () => {
  registry = await TestRegistry.start()
}, 60_000)
afterAll(() => registry.stop(), 30_000)

const JWK = { kty: 'OKP', crv: 'X25519', x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08' }
const AUTHORITY = createAuthority('Contract CA')
const CLIENT = AUTHORITY.issue('posthorn')
const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const GOOD = {
  url: 'https://example.com/hook',
  events: ['agent.*', 'system.error'],
  metadata: { team: 'a', 'x/y': '' },
  headers: { 'X-Api-Key': 'k' },
  retry_policy: { schedule_ms: [1000, 60_000], jitter: 0 },
  rate_limit: { requests: 90, per: 'minute' },
  max_concurrency: 8,
  allowed_cidrs: ['203.0.113.0/24', '2001:db8::/32'],
  denied_cidrs: ['203.0.113.7/32'],
  min_tls_version: '1.3',
  encryption: { key: JWK, headers: ['X-Api-Key'], attributes: true },
  authentication: { type: 'basic', username: 'posthorn', password: 'pä' },
  tls: { ca: AUTHORITY.ca, certificate: CLIENT.cert, key: CLIENT.key },
  method: 'PUT',
  format: 'enveloped',
  send_traceparent: true,
  description: 'd',
}
const EVENT = {
  tenant: 'default',
  id: 'an event',
  source: '/s',
  type: 'agent.created',
  time: '2026-11-24T12:00:00Z',
  contenttype: 'application/json',
}
const DELIVERY = deliveryId(EVENT, 'webhook_0123456789abcdefghjkmnpqrs')

/** Twins that differ in their time alone. */
const POISONED = { topic: 'events.v1', partition: 0, offset: 0 }
const POISONED_AT = Date.now()
const POISON = {
  rest: poisonId({ ...POISONED, at: POISONED_AT }),
  grpc: poisonId({ ...POISONED, at: POISONED_AT + 1 }),
}

const REPLAY = { from: '2026-11-24T00:00:00Z', to: '2026-11-24T01:00:00Z', dry_run: true }
const SOURCE = { start: 'earliest', event: { tenant: 'default', type: { pointer: '/kind' }, subject: 's' } }
const FILTER_TEST = {
  pattern: { data: { total: [{ numeric: ['>', 1.5] }], name: [{ prefix: 'a' }, null] } },
  event: { data: { total: 1, name: 'b', items: [null, true, { '': 'x' }] } },
}
const TYPE = {
  description: 'd',
  schema: { type: 'object', properties: { a: { enum: [1, 2, 'x', null] }, constructor: {} }, requird: [] },
  example: { a: 1 },
}
const NEXT = {
  schema: { type: 'object', properties: { a: { enum: [1, true] } }, required: ['a'], requird: [] },
  example: { a: 1 },
}

const value = (json: unknown) =>
  (messageOf({ v: { json } }, ['v']) as { v: { fields: { json: object } } }).v.fields.json
const struct = (json: object) => (messageOf({ json }, ['json']) as { json: object }).json
const MESSAGE = { ...GOOD, encryption: struct(GOOD.encryption) }
const typeMessage = ({ schema, example, ...rest }: { readonly schema: object; readonly example: object }) => ({
  ...rest,
  schema: struct(schema),
  example: struct(example),
})

const ALERT = `insert into alerts (rule, metric, severity, subject, value, threshold, window_seconds, details, fired_at)
  values ('consumer_stuck', 'consumer_stuck', 'critical', 'router events.v1', 400, 300, 0, '{"lag": 1}', now())`
const RULE = { metric: 'webhook_success_rate', threshold: 0.5, severity: 'critical', description: 'd' }
const CHANNEL = { type: 'slack', name: 'n', url: 'https://chat.example/a', rules: ['poison'], repeat_seconds: 60 }
const SILENCE = { severities: ['warning'], ends_at: '2099-01-01T00:00:00.000Z', comment: 'c' }

const IDS = /\b(webhook|key|secret|event|delivery|source|replay|rule|channel|silence)_[0-9a-z]{26}\b|\balert_[0-9]+/g
const TIMES = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const POISON_IDS = /\bpoison_[A-Za-z0-9_-]+/g
const SECRETS = /(whsec|whpk)_[A-Za-z0-9+/=]+|phk_[0-9A-Za-z]+/g

/** The answer as both edges have to give it: nothing that is empty, and twins alike. */
function comparable(value: unknown, twin: string): unknown {
  if (Array.isArray(value)) return value.map(each => comparable(each, twin))
  if (typeof value === 'string')
    return value
      .replace(IDS, (_, kind = 'alert') => `${kind}_…`)
      .replace(POISON_IDS, 'poison_…')
      .replace(TIMES, 'time')
      .replace(SECRETS, 'secret')
      .replaceAll(twin, 'twin')
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, inner]) => [name, comparable(inner, twin)] as const)
  return Object.fromEntries(
    entries.filter(([name, inner]) => !isEmpty(inner) && name !== 'seq' && name !== 'request_id'),
  )
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Things that a use case works on, made for each edge by itself. */
interface Twin {
  /** Differs by edge, so that names do not collide. */
  readonly name: string
  readonly id: string
  readonly secret: string
}

interface UseCase {
  readonly method: string
  readonly needs?:
    'webhook' | 'tenant' | 'key' | 'source' | 'type' | 'replay' | 'rule' | 'channel' | 'silence' | 'alert'
  readonly rest: (twin: Twin) => readonly [method: string, path: string, body?: object]
  readonly grpc: (twin: Twin) => object
  /** The code that both answer; without it both have to succeed. */
  readonly fails?: string
}

const CASES: readonly UseCase[] = [
  {
    method: 'WebhookService/CreateWebhook',
    rest: ({ name }) => ['POST', '/v1/webhooks', { ...GOOD, uid: name }],
    grpc: ({ name }) => ({ webhook: { ...MESSAGE, uid: name } }),
  },
  {
    method: 'WebhookService/CreateWebhook',
    rest: () => [
      'POST',
      '/v1/webhooks',
      { url: 'x', events: ['a b'], retry_policy: { attempts: 0 }, headers: { host: 'a' } },
    ],
    fails: 'request_invalid',
    grpc: () => ({ webhook: { url: 'x', events: ['a b'], retry_policy: { attempts: 0 }, headers: { host: 'a' } } }),
  },
  {
    method: 'WebhookService/ListWebhooks',
    needs: 'webhook',
    rest: ({ name }) => ['GET', `/v1/webhooks?limit=1&uid=${name}&event_type=agent.created`],
    grpc: ({ name }) => ({ limit: 1, uid: name, event_type: 'agent.created' }),
  },
  {
    method: 'WebhookService/ListWebhooks',
    rest: () => ['GET', '/v1/webhooks?limit=0&status=gone'],
    fails: 'request_invalid',
    grpc: () => ({ limit: 0, status: 'gone' }),
  },
  {
    method: 'WebhookService/GetWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['GET', `/v1/webhooks/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/GetWebhook',
    rest: () => ['GET', '/v1/webhooks/x'],
    fails: 'webhook_not_found',
    grpc: () => ({ id: 'x' }),
  },
  {
    method: 'WebhookService/GetWebhookByUid',
    needs: 'webhook',
    rest: ({ name }) => ['GET', `/v1/webhooks/by-uid/${name}`],
    grpc: ({ name }) => ({ uid: name }),
  },
  {
    method: 'WebhookService/UpdateWebhook',
    needs: 'webhook',
    rest: ({ id }) => [
      'PATCH',
      `/v1/webhooks/${id}`,
      {
        description: null,
        metadata: { team: null, b: 'c' },
        method: 'PATCH',
        retry_policy: { attempts: null },
        rate_limit: { requests: 5 },
        max_concurrency: null,
        allowed_cidrs: null,
        denied_cidrs: ['10.0.0.0/8'],
        tls: { ca: null },
        min_tls_version: '1.2',
        send_traceparent: null,
        encryption: { headers: null },
        authentication: { type: 'bearer', token: 't' },
        signing: { type: 'hub', header: 'X-Acme-Signature' },
        headers: { 'x-b': '1' },
      },
    ],
    grpc: ({ id }) => ({
      id,
      webhook: {
        metadata: { b: 'c' },
        method: 'PATCH',
        headers: { 'x-b': '1' },
        rate_limit: { requests: 5 },
        min_tls_version: '1.2',
        denied_cidrs: ['10.0.0.0/8'],
        authentication: { type: 'bearer', token: 't' },
        signing: { type: 'hub', header: 'X-Acme-Signature' },
      },
      update_mask: {
        paths: ['description', 'metadata.team', 'metadata.b', 'method', 'retry_policy.attempts', 'headers.x-b'].concat(
          'rate_limit.requests',
          'max_concurrency',
          'allowed_cidrs',
          'denied_cidrs',
          'tls.ca',
          'min_tls_version',
          'send_traceparent',
          'encryption.headers',
          'authentication',
          'signing',
        ),
      },
    }),
  },
  {
    method: 'WebhookService/UpdateWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['PATCH', `/v1/webhooks/${id}`, { url: 'https://example.com/2', status: 'disabled' }],
    grpc: ({ id }) => ({ id, webhook: { url: 'https://example.com/2', status: 'disabled' } }),
  },
  {
    method: 'WebhookService/UpsertWebhook',
    rest: ({ name }) => ['PUT', `/v1/webhooks/by-uid/${name}-new`, GOOD],
    grpc: ({ name }) => ({ uid: `${name}-new`, webhook: MESSAGE }),
  },
  {
    method: 'WebhookService/UpsertWebhook',
    needs: 'webhook',
    rest: ({ name }) => [
      'PUT',
      `/v1/webhooks/by-uid/${name}`,
      { url: 'https://example.com/3', events: ['*'], signing: { type: 'hex', header: 'X-Acme' } },
    ],
    grpc: ({ name }) => ({
      uid: name,
      webhook: { url: 'https://example.com/3', events: ['*'], signing: { type: 'hex', header: 'X-Acme' } },
    }),
  },
  {
    method: 'WebhookService/DisableWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/disable`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/EnableWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/enable`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/PauseWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/pause`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/ResumeWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/resume`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/VerifyWebhook',
    needs: 'webhook',
    fails: 'ownership_off',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/verify`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/TestWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/test`, { type: 'agent.error' }],
    grpc: ({ id }) => ({ id, type: 'agent.error' }),
  },
  {
    method: 'WebhookService/ListSecrets',
    needs: 'webhook',
    rest: ({ id }) => ['GET', `/v1/webhooks/${id}/secrets`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'WebhookService/RotateSecret',
    needs: 'webhook',
    rest: ({ id }) => [
      'POST',
      `/v1/webhooks/${id}/secrets/rotate`,
      { overlap_seconds: 60, secret: 'one of 16 to 128 characters' },
    ],
    grpc: ({ id }) => ({ id, overlap_seconds: 60, secret: 'one of 16 to 128 characters' }),
  },
  {
    method: 'WebhookService/RotateSecret',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/secrets/rotate`, { signature: 'v1a' }],
    grpc: ({ id }) => ({ id, signature: 'v1a' }),
  },
  {
    method: 'WebhookService/CreateWebhook',
    rest: () => ['POST', '/v1/webhooks', { url: 'https://example.com', events: ['*'], signature: 'v1a' }],
    grpc: () => ({ webhook: { url: 'https://example.com', events: ['*'], signature: 'v1a' } }),
  },
  {
    method: 'WebhookService/RevealSecret',
    needs: 'webhook',
    rest: ({ id, secret }) => ['POST', `/v1/webhooks/${id}/secrets/${secret}/reveal`],
    grpc: ({ id, secret }) => ({ id, secret_id: secret }),
  },
  {
    method: 'WebhookService/RevealSecret',
    needs: 'webhook',
    rest: ({ id }) => ['POST', `/v1/webhooks/${id}/secrets/nothing/reveal`],
    fails: 'secret_not_found',
    grpc: ({ id }) => ({ id, secret_id: 'nothing' }),
  },
  {
    method: 'WebhookService/DeleteWebhook',
    needs: 'webhook',
    rest: ({ id }) => ['DELETE', `/v1/webhooks/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'TenantService/CreateTenant',
    rest: ({ name }) => [
      'POST',
      '/v1/tenants',
      { id: `${name}-t`, description: 'd', quotas: { webhooks: 2 }, unknown_event_types: 'refuse' },
    ],
    grpc: ({ name }) => ({
      tenant: { id: `${name}-t`, description: 'd', quotas: { webhooks: 2 }, unknown_event_types: 'refuse' },
    }),
  },
  {
    method: 'TenantService/CreateTenant',
    rest: () => ['POST', '/v1/tenants', { id: 'default' }],
    fails: 'tenant_exists',
    grpc: () => ({ tenant: { id: 'default' } }),
  },
  {
    method: 'TenantService/ListTenants',
    rest: () => ['GET', '/v1/tenants?status=deleted'],
    grpc: () => ({ status: 'deleted' }),
  },
  {
    method: 'TenantService/GetTenant',
    needs: 'tenant',
    rest: ({ id }) => ['GET', `/v1/tenants/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'TenantService/UpdateTenant',
    needs: 'tenant',
    rest: ({ id }) => ['PATCH', `/v1/tenants/${id}`, { description: null, quotas: { webhooks: 5 } }],
    grpc: ({ id }) => ({
      id,
      tenant: { quotas: { webhooks: 5 } },
      update_mask: { paths: ['description', 'quotas.webhooks'] },
    }),
  },
  {
    method: 'TenantService/DeleteTenant',
    needs: 'tenant',
    rest: ({ id }) => ['DELETE', `/v1/tenants/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'TenantService/DeleteTenant',
    rest: () => ['DELETE', '/v1/tenants/default'],
    fails: 'tenant_protected',
    grpc: () => ({ id: 'default' }),
  },
  {
    method: 'KeyService/CreateKey',
    rest: () => ['POST', '/v1/keys', { name: 'k', roles: ['read'], allowed_ips: ['10.0.0.0/8'] }],
    grpc: () => ({ name: 'k', roles: ['read'], allowed_ips: ['10.0.0.0/8'] }),
  },
  {
    method: 'KeyService/CreateKey',
    rest: () => ['POST', '/v1/keys', { roles: ['boss'], expires_at: '2020-01-01T00:00:00Z' }],
    fails: 'request_invalid',
    grpc: () => ({ roles: ['boss'], expires_at: '2020-01-01T00:00:00Z' }),
  },
  {
    method: 'KeyService/ListKeys',
    rest: () => ['GET', '/v1/keys?scope=platform'],
    grpc: () => ({ scope: 'platform' }),
  },
  {
    method: 'KeyService/GetKey',
    needs: 'key',
    rest: ({ id }) => ['GET', `/v1/keys/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'KeyService/GetKey',
    needs: 'key',
    rest: ({ id }) => ['GET', `/v1/keys/${id}?scope=platform`],
    fails: 'key_not_found',
    grpc: ({ id }) => ({ id, scope: 'platform' }),
  },
  {
    method: 'KeyService/CreateKey',
    rest: () => ['POST', '/v1/keys', { name: 'k', roles: ['publish'], kind: 'signing', secret: SIGNING_SECRET }],
    grpc: () => ({ name: 'k', roles: ['publish'], kind: 'signing', secret: SIGNING_SECRET }),
  },
  {
    method: 'KeyService/CreateKey',
    rest: () => ['POST', '/v1/keys', { name: 'k', roles: ['read'], kind: 'signing' }],
    fails: 'request_invalid',
    grpc: () => ({ name: 'k', roles: ['read'], kind: 'signing' }),
  },
  {
    method: 'KeyService/UpdateKey',
    needs: 'key',
    rest: ({ id }) => ['PATCH', `/v1/keys/${id}`, { allowed_ips: ['10.0.0.0/8', '::1/128'], expires_at: null }],
    grpc: ({ id }) => ({
      id,
      key: { allowed_ips: ['10.0.0.0/8', '::1/128'] },
      update_mask: { paths: ['allowed_ips', 'expires_at'] },
    }),
  },
  {
    method: 'KeyService/UpdateKey',
    needs: 'key',
    rest: ({ id }) => ['PATCH', `/v1/keys/${id}`, { name: null, allowed_ips: ['10.0.0.0/33'] }],
    fails: 'request_invalid',
    grpc: ({ id }) => ({
      id,
      key: { allowed_ips: ['10.0.0.0/33'] },
      update_mask: { paths: ['name', 'allowed_ips'] },
    }),
  },
  {
    method: 'KeyService/RotateKey',
    needs: 'key',
    rest: ({ id }) => ['POST', `/v1/keys/${id}/rotate`, { secret: SIGNING_SECRET }],
    fails: 'request_invalid',
    grpc: ({ id }) => ({ id, secret: SIGNING_SECRET }),
  },
  {
    method: 'KeyService/RotateKey',
    needs: 'key',
    rest: ({ id }) => ['POST', `/v1/keys/${id}/rotate`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'KeyService/DeleteKey',
    needs: 'key',
    rest: ({ id }) => ['DELETE', `/v1/keys/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AlertService/ListAlerts',
    rest: () => ['GET', '/v1/alerts?status=firing'],
    grpc: () => ({ status: 'firing' }),
  },
  {
    method: 'AlertService/GetAlert',
    needs: 'alert',
    rest: ({ id }) => ['GET', `/v1/alerts/${id}?scope=platform`],
    grpc: ({ id }) => ({ id, scope: 'platform' }),
  },
  {
    method: 'AlertService/GetAlert',
    rest: () => ['GET', '/v1/alerts/alert_x'],
    fails: 'alert_not_found',
    grpc: () => ({ id: 'alert_x' }),
  },
  {
    method: 'AlertService/CreateAlertRule',
    rest: () => ['POST', '/v1/alert-rules', RULE],
    grpc: () => RULE,
  },
  {
    method: 'AlertService/CreateAlertRule',
    rest: () => ['POST', '/v1/alert-rules', { metric: 'consumer_stuck' }],
    fails: 'request_invalid',
    grpc: () => ({ metric: 'consumer_stuck' }),
  },
  {
    method: 'AlertService/CreateAlertRule',
    rest: () => ['POST', '/v1/alert-rules', { metric: 'poison', threshold: 1, clear: 2 }],
    fails: 'request_invalid',
    grpc: () => ({ metric: 'poison', threshold: 1, clear: 2 }),
  },
  {
    method: 'AlertService/ListAlertRules',
    rest: () => ['GET', '/v1/alert-rules?scope=platform&limit=3'],
    grpc: () => ({ scope: 'platform', limit: 3 }),
  },
  {
    method: 'AlertService/GetAlertRule',
    needs: 'rule',
    rest: ({ id }) => ['GET', `/v1/alert-rules/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AlertService/GetAlertRule',
    rest: () => ['GET', '/v1/alert-rules/wrong_keys?scope=platform'],
    grpc: () => ({ id: 'wrong_keys', scope: 'platform' }),
  },
  {
    method: 'AlertService/GetAlertRule',
    rest: () => ['GET', '/v1/alert-rules/wrong_keys'],
    fails: 'alert_rule_not_found',
    grpc: () => ({ id: 'wrong_keys' }),
  },
  {
    method: 'AlertService/UpdateAlertRule',
    needs: 'rule',
    rest: ({ id }) => ['PATCH', `/v1/alert-rules/${id}`, { threshold: 0.4, clear: null, enabled: false }],
    grpc: ({ id }) => ({
      id,
      rule: { threshold: 0.4, enabled: false },
      update_mask: { paths: ['threshold', 'clear', 'enabled'] },
    }),
  },
  {
    method: 'AlertService/UpdateAlertRule',
    needs: 'rule',
    rest: ({ id }) => ['PATCH', `/v1/alert-rules/${id}`, { threshold: 2 }],
    fails: 'request_invalid',
    grpc: ({ id }) => ({ id, rule: { threshold: 2 }, update_mask: { paths: ['threshold'] } }),
  },
  {
    method: 'AlertService/DeleteAlertRule',
    needs: 'rule',
    rest: ({ id }) => ['DELETE', `/v1/alert-rules/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AlertService/CreateAlertChannel',
    rest: () => ['POST', '/v1/alert-channels', CHANNEL],
    grpc: () => CHANNEL,
  },
  {
    method: 'AlertService/CreateAlertChannel',
    rest: () => ['POST', '/v1/alert-channels', { type: 'slack', name: 'n', url: 'ftp://x', to: ['a@b.c'] }],
    fails: 'request_invalid',
    grpc: () => ({ type: 'slack', name: 'n', url: 'ftp://x', to: ['a@b.c'] }),
  },
  {
    method: 'AlertService/ListAlertChannels',
    needs: 'channel',
    rest: () => ['GET', '/v1/alert-channels?limit=1'],
    grpc: () => ({ limit: 1 }),
  },
  {
    method: 'AlertService/GetAlertChannel',
    needs: 'channel',
    rest: ({ id }) => ['GET', `/v1/alert-channels/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AlertService/UpdateAlertChannel',
    needs: 'channel',
    rest: ({ id }) => ['PATCH', `/v1/alert-channels/${id}`, { url: 'https://chat.example/b', rules: null }],
    grpc: ({ id }) => ({
      id,
      channel: { url: 'https://chat.example/b' },
      update_mask: { paths: ['url', 'rules'] },
    }),
  },
  {
    method: 'AlertService/UpdateAlertChannel',
    needs: 'channel',
    rest: ({ id }) => ['PATCH', `/v1/alert-channels/${id}`, { name: null, to: ['x'] }],
    fails: 'request_invalid',
    grpc: ({ id }) => ({ id, channel: { to: ['x'] }, update_mask: { paths: ['name', 'to'] } }),
  },
  {
    method: 'AlertService/TestAlertChannel',
    rest: () => ['POST', '/v1/alert-channels/channel_x/test'],
    fails: 'alert_channel_not_found',
    grpc: () => ({ id: 'channel_x' }),
  },
  {
    method: 'AlertService/DeleteAlertChannel',
    needs: 'channel',
    rest: ({ id }) => ['DELETE', `/v1/alert-channels/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AlertService/CreateAlertSilence',
    rest: () => ['POST', '/v1/alert-silences', SILENCE],
    grpc: () => SILENCE,
  },
  {
    method: 'AlertService/CreateAlertSilence',
    rest: () => ['POST', '/v1/alert-silences', { ends_at: '2020-01-01T00:00:00Z', severities: ['bad'] }],
    fails: 'request_invalid',
    grpc: () => ({ ends_at: '2020-01-01T00:00:00Z', severities: ['bad'] }),
  },
  {
    method: 'AlertService/ListAlertSilences',
    needs: 'silence',
    rest: () => ['GET', '/v1/alert-silences?limit=1'],
    grpc: () => ({ limit: 1 }),
  },
  {
    method: 'AlertService/GetAlertSilence',
    needs: 'silence',
    rest: ({ id }) => ['GET', `/v1/alert-silences/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AlertService/DeleteAlertSilence',
    needs: 'silence',
    rest: ({ id }) => ['DELETE', `/v1/alert-silences/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'AuditService/ListAudit',
    needs: 'webhook',
    rest: ({ id }) => ['GET', `/v1/audit?subject=${id}&scope=all`],
    grpc: ({ id }) => ({ subject: id, scope: 'all' }),
  },
  {
    method: 'HistoryService/ListDeliveries',
    rest: () => ['GET', '/v1/deliveries?status=delivered'],
    grpc: () => ({ status: 'delivered' }),
  },
  {
    method: 'HistoryService/ListEvents',
    rest: () => ['GET', '/v1/events?type=agent.created&from=2026-01-01T00:00:00Z'],
    grpc: () => ({ type: 'agent.created', from: '2026-01-01T00:00:00Z' }),
  },
  {
    method: 'HistoryService/ListDeadLetters',
    rest: () => ['GET', '/v1/dead-letters?status=gone&event_type=a.b'],
    grpc: () => ({ status: 'gone', event_type: 'a.b' }),
  },
  {
    method: 'HistoryService/ListDeadLetters',
    rest: () => ['GET', '/v1/dead-letters?state=discarded'],
    grpc: () => ({ state: 'discarded' }),
  },
  {
    method: 'HistoryService/DiscardDeadLetters',
    rest: () => ['POST', '/v1/dead-letters/discard', { event_type: 'a.*', status: ['gone'], dry_run: true }],
    grpc: () => ({ event_type: 'a.*', status: ['gone'], dry_run: true }),
  },
  {
    method: 'HistoryService/DiscardDeadLetters',
    rest: () => ['POST', '/v1/dead-letters/discard', { deliveries: [DELIVERY], webhook: 'w' }],
    fails: 'request_invalid',
    grpc: () => ({ deliveries: [DELIVERY], webhook: 'w' }),
  },
  {
    method: 'HistoryService/ListDeliveries',
    rest: () => ['GET', '/v1/deliveries?run=0'],
    grpc: () => ({ run: '0' }),
  },
  {
    method: 'HistoryService/ListAttempts',
    rest: () => ['GET', '/v1/attempts?run=0'],
    grpc: () => ({ run: '0' }),
  },
  {
    method: 'HistoryService/ListAttempts',
    rest: () => ['GET', '/v1/attempts?outcome=delivered&event_type=agent.created'],
    grpc: () => ({ outcome: 'delivered', event_type: 'agent.created' }),
  },
  {
    method: 'HistoryService/ListAttempts',
    rest: () => ['GET', '/v1/attempts?from=2027-01-01T00:00:00Z&to=2026-01-01T00:00:00Z'],
    fails: 'request_invalid',
    grpc: () => ({ from: '2027-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }),
  },
  {
    method: 'HistoryService/GetStats',
    rest: () => ['GET', '/v1/stats?step=day&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z'],
    grpc: () => ({ step: 'day', from: '2026-11-24T00:00:00Z', to: '2026-11-25T00:00:00Z' }),
  },
  {
    method: 'HistoryService/GetDelivery',
    rest: () => ['GET', `/v1/deliveries/${DELIVERY}`],
    grpc: () => ({ id: DELIVERY }),
  },
  {
    method: 'HistoryService/ExplainDelivery',
    rest: () => ['GET', `/v1/deliveries/${DELIVERY}/explanation`],
    grpc: () => ({ id: DELIVERY }),
  },
  {
    method: 'HistoryService/ExplainDelivery',
    rest: () => ['GET', '/v1/deliveries/nothing/explanation'],
    fails: 'delivery_not_found',
    grpc: () => ({ id: 'nothing' }),
  },
  {
    method: 'HistoryService/GetEvent',
    rest: () => ['GET', '/v1/events/nothing'],
    fails: 'event_not_found',
    grpc: () => ({ id: 'nothing' }),
  },
  {
    method: 'SourceService/CreateSource',
    rest: ({ name }) => ['POST', '/v1/sources', { pattern: `shop\\.${name}`, ...SOURCE }],
    grpc: ({ name }) => ({ source: { pattern: `shop\\.${name}`, ...SOURCE, event: struct(SOURCE.event) } }),
  },
  {
    method: 'SourceService/CreateSource',
    rest: () => ['POST', '/v1/sources', { topic: 'a', pattern: '(', event: { type: { pointer: 'x' }, nothing: 'a' } }],
    fails: 'request_invalid',
    grpc: () => ({ source: { topic: 'a', pattern: '(', event: struct({ type: { pointer: 'x' }, nothing: 'a' }) } }),
  },
  {
    method: 'SourceService/CreateSource',
    rest: () => ['POST', '/v1/sources', {}],
    fails: 'request_invalid',
    grpc: () => ({}),
  },
  {
    method: 'SourceService/ListSources',
    rest: () => ['GET', '/v1/sources?limit=251'],
    fails: 'request_invalid',
    grpc: () => ({ limit: 251 }),
  },
  {
    method: 'SourceService/ListSources',
    rest: () => ['GET', '/v1/sources?cursor=x'],
    fails: 'cursor_invalid',
    grpc: () => ({ cursor: 'x' }),
  },
  {
    method: 'SourceService/GetSource',
    needs: 'source',
    rest: ({ id }) => ['GET', `/v1/sources/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'SourceService/GetSource',
    rest: () => ['GET', '/v1/sources/x'],
    fails: 'source_not_found',
    grpc: () => ({ id: 'x' }),
  },
  {
    method: 'SourceService/UpdateSource',
    needs: 'source',
    rest: ({ id }) => [
      'PATCH',
      `/v1/sources/${id}`,
      { start: null, status: 'paused', event: { subject: null, id: { header: 'i' } } },
    ],
    grpc: ({ id }) => ({
      id,
      source: { status: 'paused', event: struct({ id: { header: 'i' } }) },
      update_mask: { paths: ['start', 'status', 'event.subject', 'event.id'] },
    }),
  },
  {
    method: 'SourceService/UpdateSource',
    needs: 'source',
    rest: ({ id }) => ['PATCH', `/v1/sources/${id}`, { status: 'gone', event: null }],
    fails: 'request_invalid',
    grpc: ({ id }) => ({ id, source: { status: 'gone' }, update_mask: { paths: ['status', 'event'] } }),
  },
  {
    method: 'SourceService/DeleteSource',
    needs: 'source',
    rest: ({ id }) => ['DELETE', `/v1/sources/${id}`],
    grpc: ({ id }) => ({ id, if_version: 1 }),
  },
  {
    method: 'FilterService/TestFilter',
    rest: () => ['POST', '/v1/filters/test', FILTER_TEST],
    grpc: () => ({ pattern: struct(FILTER_TEST.pattern), event: struct(FILTER_TEST.event) }),
  },
  {
    method: 'FilterService/TestFilter',
    rest: () => ['POST', '/v1/filters/test', { pattern: { a: 'x', b: [] } }],
    fails: 'request_invalid',
    grpc: () => ({ pattern: struct({ a: 'x', b: [] }) }),
  },
  {
    method: 'EventTypeService/CreateEventType',
    rest: ({ name }) => ['POST', '/v1/event-types', { type: name, ...TYPE }],
    grpc: ({ name }) => ({ event_type: { type: name, ...typeMessage(TYPE) } }),
  },
  {
    method: 'EventTypeService/CreateEventType',
    needs: 'type',
    rest: ({ id }) => ['POST', '/v1/event-types', { type: id }],
    fails: 'event_type_exists',
    grpc: ({ id }) => ({ event_type: { type: id } }),
  },
  {
    method: 'EventTypeService/CreateEventType',
    rest: () => ['POST', '/v1/event-types', { type: 'a b', scope: 'built_in', mode: 'x', example: {} }],
    fails: 'request_invalid',
    grpc: () => ({ event_type: { type: 'a b', scope: 'built_in', mode: 'x', example: struct({}) } }),
  },
  {
    method: 'EventTypeService/CreateEventType',
    rest: ({ name }) => ['POST', '/v1/event-types', { type: name, schema: { type: 'objekt', pattern: '(' } }],
    fails: 'request_invalid',
    grpc: ({ name }) => ({ event_type: { type: name, schema: struct({ type: 'objekt', pattern: '(' }) } }),
  },
  {
    method: 'EventTypeService/ListEventTypes',
    rest: () => ['GET', '/v1/event-types?scope=built_in&limit=3'],
    grpc: () => ({ scope: 'built_in', limit: 3 }),
  },
  {
    method: 'EventTypeService/ListEventTypes',
    rest: () => ['GET', '/v1/event-types?scope=mine&status=gone'],
    fails: 'request_invalid',
    grpc: () => ({ scope: 'mine', status: 'gone' }),
  },
  {
    method: 'EventTypeService/GetEventType',
    needs: 'type',
    rest: ({ id }) => ['GET', `/v1/event-types/${id}?scope=tenant`],
    grpc: ({ id }) => ({ type: id, scope: 'tenant' }),
  },
  {
    method: 'EventTypeService/GetEventType',
    needs: 'type',
    rest: ({ id }) => ['GET', `/v1/event-types/${id}?scope=platform`],
    fails: 'event_type_not_found',
    grpc: ({ id }) => ({ type: id, scope: 'platform' }),
  },
  {
    method: 'EventTypeService/UpdateEventType',
    needs: 'type',
    rest: ({ id }) => ['PATCH', `/v1/event-types/${id}`, { description: null, mode: 'enforce', example: { a: 2 } }],
    grpc: ({ id }) => ({
      type: id,
      event_type: { mode: 'enforce', example: struct({ a: 2 }) },
      update_mask: { paths: ['description', 'mode', 'example'] },
    }),
  },
  {
    method: 'EventTypeService/UpdateEventType',
    needs: 'type',
    rest: ({ id }) => ['PATCH', `/v1/event-types/${id}`, { schema: {}, mode: null }],
    fails: 'request_invalid',
    grpc: ({ id }) => ({ type: id, event_type: { schema: struct({}) }, update_mask: { paths: ['schema', 'mode'] } }),
  },
  ...(['Deprecate', 'Archive', 'Restore'] as const).map((verb): UseCase => ({
    method: `EventTypeService/${verb}EventType`,
    needs: 'type',
    rest: ({ id }) => ['POST', `/v1/event-types/${id}/${verb.toLowerCase()}`],
    grpc: ({ id }) => ({ type: id, if_version: 1 }),
  })),
  {
    method: 'EventTypeService/AddEventTypeVersion',
    needs: 'type',
    rest: ({ id }) => ['POST', `/v1/event-types/${id}/versions`, { ...NEXT, allow_breaking: true }],
    grpc: ({ id }) => ({ type: id, ...typeMessage(NEXT), allow_breaking: true }),
  },
  {
    method: 'EventTypeService/AddEventTypeVersion',
    needs: 'type',
    rest: ({ id }) => ['POST', `/v1/event-types/${id}/versions`, NEXT],
    fails: 'event_type_incompatible',
    grpc: ({ id }) => ({ type: id, ...typeMessage(NEXT) }),
  },
  {
    method: 'EventTypeService/AddEventTypeVersion',
    needs: 'type',
    rest: ({ id }) => ['POST', `/v1/event-types/${id}/versions`, {}],
    fails: 'request_invalid',
    grpc: ({ id }) => ({ type: id }),
  },
  {
    method: 'EventTypeService/ListEventTypeVersions',
    needs: 'type',
    rest: ({ id }) => ['GET', `/v1/event-types/${id}/versions?limit=1`],
    grpc: ({ id }) => ({ type: id, limit: 1 }),
  },
  {
    method: 'EventTypeService/GetEventTypeVersion',
    needs: 'type',
    rest: ({ id }) => ['GET', `/v1/event-types/${id}/versions/1`],
    grpc: ({ id }) => ({ type: id, number: 1 }),
  },
  {
    method: 'EventTypeService/GetEventTypeVersion',
    needs: 'type',
    rest: ({ id }) => ['GET', `/v1/event-types/${id}/versions/0`],
    fails: 'event_type_not_found',
    grpc: ({ id }) => ({ type: id }),
  },
  {
    method: 'EventTypeService/CheckEventType',
    needs: 'type',
    rest: ({ id }) => ['POST', `/v1/event-types/${id}/check`, { schema: NEXT.schema, data: { a: 'x' } }],
    grpc: ({ id }) => ({ type: id, schema: struct(NEXT.schema), data: { structValue: struct({ a: 'x' }) } }),
  },
  ...[0, null, 'x', [null, 1.5], { a: [] }].map((data): UseCase => ({
    method: 'EventTypeService/CheckEventType',
    needs: 'type',
    rest: ({ id }) => ['POST', `/v1/event-types/${id}/check`, { data }],
    grpc: ({ id }) => ({ type: id, data: value(data) }),
  })),
  {
    method: 'ReplayService/CreateReplay',
    rest: () => ['POST', '/v1/replays', { deliveries: [DELIVERY], rate: 9 }],
    grpc: () => ({ replay: { deliveries: [DELIVERY], rate: 9 } }),
  },
  {
    method: 'ReplayService/CreateReplay',
    needs: 'webhook',
    rest: ({ id }) => ['POST', '/v1/replays', { ...REPLAY, webhook: id, event_type: 'a.*', status: ['gone'] }],
    grpc: ({ id }) => ({ replay: { ...REPLAY, webhook: id, event_type: 'a.*', status: ['gone'] } }),
  },
  {
    method: 'ReplayService/CreateReplay',
    needs: 'webhook',
    rest: ({ id }) => ['POST', '/v1/replays', { ...REPLAY, source: 'log', webhook: id }],
    grpc: ({ id }) => ({ replay: { ...REPLAY, source: 'log', webhook: id } }),
  },
  {
    method: 'ReplayService/CreateReplay',
    rest: () => ['POST', '/v1/replays', { deliveries: [DELIVERY, 'x'], rate: 0, from: 'then' }],
    fails: 'request_invalid',
    grpc: () => ({ replay: { deliveries: [DELIVERY, 'x'], rate: 0, from: 'then' } }),
  },
  {
    method: 'ReplayService/ListReplays',
    rest: () => ['GET', '/v1/replays?status=failed&limit=3'],
    grpc: () => ({ status: 'failed', limit: 3 }),
  },
  {
    method: 'ReplayService/GetReplay',
    needs: 'replay',
    rest: ({ id }) => ['GET', `/v1/replays/${id}`],
    grpc: ({ id }) => ({ id }),
  },
  {
    method: 'ReplayService/GetReplay',
    rest: () => ['GET', '/v1/replays/none'],
    fails: 'replay_not_found',
    grpc: () => ({ id: 'none' }),
  },
  {
    method: 'ReplayService/UpdateReplay',
    needs: 'replay',
    rest: ({ id }) => ['PATCH', `/v1/replays/${id}`, { rate: 5 }],
    grpc: ({ id }) => ({ id, rate: 5 }),
  },
  ...(['Pause', 'Resume', 'Cancel'] as const).map((verb): UseCase => ({
    method: `ReplayService/${verb}Replay`,
    needs: 'replay',
    rest: ({ id }) => ['POST', `/v1/replays/${id}/${verb.toLowerCase()}`],
    grpc: ({ id }) => ({ id }),
  })),
  {
    method: 'HistoryService/ListPoison',
    rest: () => ['GET', '/v1/poison?limit=2&scope=all&status=open'],
    grpc: () => ({ limit: 2, scope: 'all', status: 'open' }),
  },
  {
    method: 'HistoryService/GetPoison',
    rest: () => ['GET', `/v1/poison/${POISON.rest}`],
    grpc: () => ({ id: POISON.rest }),
  },
  {
    method: 'HistoryService/GetPoison',
    rest: () => ['GET', '/v1/poison/nothing'],
    grpc: () => ({ id: 'nothing' }),
    fails: 'poison_not_found',
  },
  {
    method: 'HistoryService/RedrivePoison',
    rest: () => ['POST', `/v1/poison/${POISON.rest}/redrive`],
    grpc: () => ({ id: POISON.grpc }),
  },
  {
    method: 'HistoryService/RedrivePoison',
    rest: () => ['POST', `/v1/poison/${POISON.rest}/redrive`],
    grpc: () => ({ id: POISON.grpc }),
    fails: 'poison_redriven',
  },
]

async function twinFor(name: string, needs: UseCase['needs']): Promise<Twin> {
  if (needs === 'webhook') {
    const { json } = await registry.call('POST', '/v1/webhooks', { ...GOOD, uid: name })
    const secrets = await registry.call('GET', `/v1/webhooks/${json.id}/secrets`)
    return { name, id: json.id, secret: secrets.json.data[0]!.id as string }
  }
  if (needs === 'tenant') {
    const { json } = await registry.call('POST', '/v1/tenants', { id: name, description: 'd' })
    return { name, id: json.id, secret: '' }
  }
  if (needs === 'key') {
    const { json } = await registry.call('POST', '/v1/keys', { name, roles: ['publish'] })
    return { name, id: json.id, secret: '' }
  }
  if (needs === 'source') {
    const { json } = await registry.call('POST', '/v1/sources', { topic: `shop.${name}`, ...SOURCE })
    return { name, id: json.id, secret: '' }
  }
  if (needs === 'replay') {
    const { json } = await registry.call('POST', '/v1/replays', { deliveries: [DELIVERY] })
    return { name, id: json.id, secret: '' }
  }
  if (needs === 'rule' || needs === 'channel' || needs === 'silence') {
    const body = { rule: RULE, channel: CHANNEL, silence: SILENCE }[needs]
    const { json } = await registry.call('POST', `/v1/alert-${needs}s`, body)
    return { name, id: json.id, secret: '' }
  }
  if (needs === 'alert') {
    const { json } = await registry.call('GET', '/v1/alerts?scope=platform')
    return { name, id: (json.data as unknown as { id: string }[])[0]!.id, secret: '' }
  }
  if (needs === 'type') {
    await registry.call('POST', '/v1/event-types', { type: name, ...TYPE })
    return { name, id: name, secret: '' }
  }
  return { name, id: '', secret: '' }
}

type Result = { readonly answer: unknown } | { readonly code: unknown; readonly errors: unknown }

async function byRest({ rest }: UseCase, twin: Twin): Promise<Result> {
  const { status, json, text } = await registry.call(...rest(twin))
  if (status >= 400) return { code: json.code, errors: json.errors ?? [] }
  return { answer: comparable(text === '' ? {} : json, twin.name) }
}

async function byGrpc({ method, grpc }: UseCase, twin: Twin): Promise<Result> {
  try {
    return { answer: comparable(await registry.rpc(method, grpc(twin)), twin.name) }
  } catch (error) {
    const { code, problem } = error as RpcFailure
    return { code, errors: problem.errors ?? [] }
  }
}

describe('REST and gRPC answer the same', () => {
  beforeAll(async () => {
    const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
    const now = Date.now()
    const at = new Date(now).toISOString()
    const attempt = {
      delivery: DELIVERY,
      run: '0',
      attempt: 1,
      webhook: 'webhook_0123456789abcdefghjkmnpqrs',
      webhook_version: 1,
      tenant: 'default',
      event: EVENT,
      outcome: 'delivered' as const,
      accepted_at: at,
      due_at: at,
      started_at: at,
      finished_at: at,
      duration_ms: 1.5,
      status_code: 200,
    }
    const entry = { topic: 't', partition: 0, offset: 0, timestamp: now, entry: { kind: 'attempt' as const, attempt } }
    const poison = [POISONED_AT, POISONED_AT + 1].map((timestamp, offset) => ({
      ...{ topic: 'p', partition: 0, offset, timestamp },
      entry: {
        kind: 'poison' as const,
        tenant: 'default',
        head: { ...POISONED, timestamp, reason: 'undecodable' as const, detail: 'd', size: 1, key: 'k', count: 2 },
        value: Buffer.from('x'),
      },
    }))
    await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test').write([entry, ...poison], now)
    await pool.query(ALERT)
    await pool.end()
  })

  test('every method of every service is here', async () => {
    const all = await registry.methods()
    expect([...new Set(CASES.map(each => each.method))].sort()).toEqual(all.sort())
  })

  test.each(CASES.map((each, index) => [`${each.method} (${index})`, each, index] as const))(
    '%s',
    async (_name, useCase, index) => {
      const [left, right] = await Promise.all(
        ['rest', 'grpc'].map(edge => twinFor(`twin-${edge}-${index}`, useCase.needs)),
      )
      const rest = await byRest(useCase, left!)
      expect(await byGrpc(useCase, right!)).toEqual(rest)
      expect('code' in rest ? rest.code : undefined).toBe(useCase.fails)
    },
  )
})

test('gRPC reflection names the services', async () => {
  expect(await registry.services()).toEqual(
    expect.arrayContaining(['posthorn.admin.v1.WebhookService', 'grpc.health.v1.Health']),
  )
})

test('a message over 1 MiB is refused', async () => {
  const webhook = { ...MESSAGE, description: 'x'.repeat(1024 * 1024) }
  await expect(registry.rpc('WebhookService/CreateWebhook', { webhook })).rejects.toMatchObject({ grpc: 8 })
})

test('a call with more faults than trailers take is answered, and the connection lives', async () => {
  const create = (metadata: object) =>
    registry.rpc('WebhookService/CreateWebhook', { webhook: { ...MESSAGE, metadata } })
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`n${i}`, '\0']))
  await expect(create(many)).rejects.toMatchObject({
    code: 'request_invalid',
    problem: { errors: expect.arrayContaining([expect.objectContaining({ pointer: '/metadata/n0' })]) },
  })
  await expect(create({ ['é𝄞'.repeat(50_000)]: '\0' })).rejects.toMatchObject({ grpc: 3, code: 'request_invalid' })
  const id = `${'x'.repeat(99)}𝄞`
  await expect(registry.rpc('WebhookService/GetWebhook', { id })).rejects.toMatchObject({ code: 'webhook_not_found' })
  expect(await registry.rpc('WebhookService/ListWebhooks', { limit: 1 })).toHaveProperty('data')
})

test('an update mask that names a field of the filter leaves the others', async () => {
  const filter = { source: ['/s'], subject: ['a'] }
  const { id } = (await registry.call('POST', '/v1/webhooks', { ...GOOD, filter })).json
  const update = { id, webhook: { filter: { fields: { source: { listValue: { values: [{ stringValue: '/t' }] } } } } } }
  const mask = { update_mask: { paths: ['filter.source'] } }
  expect(await registry.rpc('WebhookService/UpdateWebhook', { ...update, ...mask })).toMatchObject({
    filter: { source: ['/t'], subject: ['a'] },
  })
})

describe('S7 a gRPC call without a right is refused as a request is', () => {
  const failure = (path: string, options: object) => registry.rpc(path, {}, options).catch((error: unknown) => error)

  test.each([
    ['a wrong key', 'WebhookService/ListWebhooks', { key: 'no' }, 16, 'key_invalid'],
    [
      'an unknown tenant',
      'WebhookService/ListWebhooks',
      { headers: { 'posthorn-tenant': 'nobody' } },
      5,
      'tenant_not_found',
    ],
  ])('%s', async (_what, path, options, grpc, code) => {
    expect(await failure(path, options)).toMatchObject({ grpc, code })
  })

  test('a key without the role', async () => {
    const { json } = await registry.call('POST', '/v1/keys', { name: 'reader', roles: ['read'] })
    const key = json.key as string
    expect(await registry.rpc('WebhookService/ListWebhooks', {}, { key })).toHaveProperty('data')
    for (const path of [
      'WebhookService/DeleteWebhook',
      'KeyService/ListKeys',
      'TenantService/ListTenants',
      'HistoryService/RedrivePoison',
    ])
      expect(await failure(path, { key })).toMatchObject({ grpc: 7, code: 'role_missing' })
  })

  test('the same idempotency-key runs once', async () => {
    const headers = { 'idempotency-key': 'once' }
    const create = (uid: string) =>
      registry.rpc('WebhookService/CreateWebhook', { webhook: { ...MESSAGE, uid } }, { headers })
    const first = await create('idem')
    expect(await create('idem')).toEqual(first)
    await expect(create('other')).rejects.toMatchObject({ code: 'idempotency_mismatch' })
  })
})
