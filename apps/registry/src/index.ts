export { registryService } from './service.js'
