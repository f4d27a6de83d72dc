import { describe, expect, test } from '@jest/globals'
import type { StackInfo } from '../run-file.js'
import { connectionOf } from './connection.js'

const RUNNING: StackInfo = {
  api: 'http://127.0.0.1:8080',
  publish: 'http://127.0.0.1:8081',
  grpc: '127.0.0.1:9090',
  kafka: '127.0.0.1:19092',
  postgres: 'postgres://127.0.0.1/posthorn',
  key: 'key-of-the-stack',
  pids: {},
}

describe('the connection', () => {
  test('is that of the stack that runs here, unless anything else is named', () => {
    const { api, publish, key } = RUNNING
    expect(connectionOf({}, {}, RUNNING)).toEqual({ api, publish, key, tenant: undefined })
  })

  test('takes options before variables', () => {
    const env = { POSTHORN_API_URL: 'http://b:1', POSTHORN_API_KEY: 'kb', POSTHORN_TENANT: 'tb' }
    expect(connectionOf({ 'api-url': 'http://a:1/', key: 'ka', tenant: 'ta' }, env, RUNNING)).toEqual({
      api: 'http://a:1',
      publish: 'http://127.0.0.1:8081',
      key: 'ka',
      tenant: 'ta',
    })
    expect(connectionOf({}, env, RUNNING)).toMatchObject({ api: 'http://b:1', key: 'kb', tenant: 'tb' })
  })

  test.each([{ POSTHORN_API_URL: 'http://elsewhere:1' }, { POSTHORN_PUBLISH_URL: 'http://elsewhere:1' }])(
    'never takes the key of the stack to another address: %j',
    env => {
      expect(() => connectionOf({}, env, RUNNING)).toThrow('There is no API key')
    },
  )

  test.each([
    [{ 'api-url': 'registry:8080' }, '--api-url (POSTHORN_API_URL) is "registry:8080"'],
    [{ 'publish-url': 'http://a:b@c' }, '--publish-url (POSTHORN_PUBLISH_URL) must have no user'],
    [{ key: 'a\nb' }, 'The API key has characters'],
    [{ tenant: 'ä' }, 'The tenant (--tenant, POSTHORN_TENANT) has characters'],
  ])('says which option is wrong: %j', (options, message) => {
    expect(() => connectionOf({ key: 'k', ...options }, {}, undefined)).toThrow(message)
  })
})
