export * from './payload-cipher.js'
export * from './sealer.js'
