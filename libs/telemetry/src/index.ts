export * from './logger.js'
export * from './nest-logger.js'
export * from './start.js'
export * from './trace.js'
