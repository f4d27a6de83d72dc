export * from './sealer.js'
