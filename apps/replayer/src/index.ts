export { replayerService } from './service.js'
