export * from './away.js'
export * from './data-source.js'
export * from './entities.js'
export * from './migrate.js'
