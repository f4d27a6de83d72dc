import { describe, expect, it } from '@jest/globals'
import { readReceiverSettings } from './settings.js'

describe('the settings of the receiver', () => {
  it('S8 has defaults for all but the secret', () => {
    const secrets = ['the secret of this webhook', 'the one before it']
    expect(readReceiverSettings({ POSTHORN_RECEIVER_SECRET: secrets.join(',') }, false)).toEqual({
      host: '127.0.0.1',
      port: 8085,
      secrets,
      folder: undefined,
    })
    expect(readReceiverSettings({}, true).secrets).toEqual([])
  })

  it.each([
    [{}, 'POSTHORN_RECEIVER_SECRET is not set'],
    [{ POSTHORN_RECEIVER_SECRET: 'short' }, 'POSTHORN_RECEIVER_SECRET: A secret is unusable'],
    [{ POSTHORN_RECEIVER_SECRET: 'x'.repeat(20), POSTHORN_RECEIVER_PORT: '65536' }, 'POSTHORN_RECEIVER_PORT is'],
    [{ POSTHORN_RECEIVER_SECRET: 'x'.repeat(20), POSTHORN_RECEIVER_PORT: 'http' }, 'POSTHORN_RECEIVER_PORT is'],
  ])('S8 names what is wrong in %j', (env, message) => {
    expect(() => readReceiverSettings(env, false)).toThrow(message)
  })
})
