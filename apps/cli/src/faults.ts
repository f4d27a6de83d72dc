import { handOver } from './hand-over.js'
import { FAULTS_MAIN } from './repository.js'

export const run = handOver(FAULTS_MAIN)
