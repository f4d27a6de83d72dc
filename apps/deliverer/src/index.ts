export { delivererService } from './service.js'
