export { retrySchedulerService } from './service.js'
