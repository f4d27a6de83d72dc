import { expect, it } from '@jest/globals'
import { Health, readSettings } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { replayerService } from './service.js'

it('is ready at once, opens nothing and stops', async () => {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const settings = readSettings({})
  const fatal = (error: Error) => {
    throw error
  }
  const running = await replayerService.start({
    settings,
    logger: createLogger('silent', 'replayer.spec'),
    health,
    fatal,
  })
  health.markStarted()
  expect([running.addresses, health.notReady()]).toEqual([{}, {}])
  await running.stop()
})
