// Loaded into each service before anything else (--import): it reaches Kafka and Postgres by the detours
// of the fault tests. What has no target, such as the supervisor, goes there directly.
const { FAULTS_DETOUR_BROKERS, FAULTS_DETOUR_DATABASE_PORT, POSTHORN_DATABASE_URL } = process.env

if (process.argv.some(arg => arg.startsWith('--target='))) {
  if (FAULTS_DETOUR_BROKERS) process.env.POSTHORN_KAFKA_BROKERS = FAULTS_DETOUR_BROKERS
  if (FAULTS_DETOUR_DATABASE_PORT && POSTHORN_DATABASE_URL) {
    const url = new URL(POSTHORN_DATABASE_URL)
    url.port = FAULTS_DETOUR_DATABASE_PORT
    process.env.POSTHORN_DATABASE_URL = url.href
  }
}

export {}
