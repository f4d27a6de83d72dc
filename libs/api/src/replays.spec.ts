import { describe, expect, it } from '@jest/globals'
import { UNDELIVERED } from '@posthorn/webhook'
import { ApiError } from './errors.js'
import { validated } from './http-validation.js'
import { CreateReplayBody, PatchReplayBody, replaySelection } from './replays.js'

const NOW = Date.parse('2027-01-31T12:00:00Z')
const DELIVERY = `delivery_${'0'.repeat(26)}`
const WEBHOOK = `webhook_${'0'.repeat(26)}`
const from = '2027-01-30T00:00:00Z'
const to = '2027-01-31T00:00:00Z'

const create = (body: unknown) => replaySelection(validated(CreateReplayBody, body), NOW)

function pointersOf(body: unknown): readonly string[] {
  try {
    create(body)
    return []
  } catch (error) {
    if (error instanceof ApiError && error.code === 'request_invalid') return error.errors.map(({ pointer }) => pointer)
    throw error
  }
}

describe('the body of a replay', () => {
  it('chooses deliveries, a part of the history, or of the log', () => {
    expect(create({ deliveries: [DELIVERY, DELIVERY] })).toEqual({ kind: 'deliveries', ids: [DELIVERY] })
    expect(create({ webhook: WEBHOOK })).toEqual({
      kind: 'history',
      webhook: WEBHOOK,
      status: UNDELIVERED,
      to: new Date(NOW).toISOString(),
    })
    const filter = { event_type: 'agent.*', status: ['delivered'], from, to }
    const { event_type: type, ...same } = filter
    expect(create({ ...filter, source: 'history' })).toEqual({ kind: 'history', type, ...same })
    expect(create({ source: 'log', webhook: WEBHOOK, from, to })).toEqual({ kind: 'log', webhook: WEBHOOK, from, to })
  })

  it.each<[object, readonly string[]]>([
    [{}, ['']],
    [{ to }, ['']],
    [{ source: 'history' }, ['']],
    [{ deliveries: [] }, ['/deliveries']],
    [{ deliveries: null }, ['/deliveries']],
    [{ deliveries: DELIVERY }, ['/deliveries']],
    [{ deliveries: [DELIVERY, 'x', 7] }, ['/deliveries/1', '/deliveries/2']],
    [{ deliveries: Array.from({ length: 1001 }, () => DELIVERY) }, ['/deliveries']],
    [{ deliveries: [DELIVERY], webhook: WEBHOOK, source: 'log', to }, ['/source', '/webhook', '/to']],
    [{ source: 'log' }, ['/webhook', '/from']],
    [{ source: 'log', webhook: WEBHOOK, from, event_type: 'a', status: ['gone'] }, ['/event_type', '/status']],
    [{ source: 'all', webhook: WEBHOOK }, ['/source']],
    [{ webhook: 'w' }, ['/webhook']],
    [{ webhook: WEBHOOK, status: ['pending', 'retry', 'gone'] }, ['/status/0', '/status/1']],
    [{ webhook: WEBHOOK, status: 'gone' }, ['/status']],
    [{ webhook: WEBHOOK, event_type: 'a..b' }, ['/event_type']],
    [{ from: '2027-02-01T00:00:00Z' }, ['/from']],
    [{ from, to: from }, ['/from']],
    [{ from, to: '2027-02-01T00:00:00Z' }, ['/to']],
    [{ from: 'yesterday' }, ['/from']],
    [{ webhook: WEBHOOK, rate: 0 }, ['/rate']],
    [{ webhook: WEBHOOK, rate: 10_001 }, ['/rate']],
    [{ webhook: WEBHOOK, rate: 1.5 }, ['/rate']],
    [{ webhook: WEBHOOK, rate: null }, ['/rate']],
    [{ webhook: WEBHOOK, dry_run: 'yes' }, ['/dry_run']],
    [{ webhook: WEBHOOK, dryrun: true }, ['/dryrun']],
  ])('is refused where it is wrong: %j', (body, pointers) => {
    expect(pointersOf(body)).toEqual(pointers)
  })

  it('of a change has a rate', () => {
    expect(validated(PatchReplayBody, { rate: 5 })).toEqual({ rate: 5 })
    expect(() => validated(PatchReplayBody, { rate: '5' })).toThrow(ApiError)
    expect(() => validated(PatchReplayBody, { status: 'done' })).toThrow(ApiError)
  })
})
