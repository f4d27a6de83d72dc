import { handOver } from './hand-over.js'
import { BENCH_MAIN } from './repository.js'

export const run = handOver(BENCH_MAIN)
