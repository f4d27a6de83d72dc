export * from './targets.js'
