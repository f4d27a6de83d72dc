import { writeFileSync } from 'node:fs'
import { contractFiles } from './contract-files.js'

// `npm run contract`
for (const [file, content] of await contractFiles()) writeFileSync(file, content)
