const HOW_TO =
  'npm test starts the servers and sets it; for one spec file, start them by "npm run up" and set it by hand.'

/** host:port list of the broker that tests may fill; throws when there is none. */
export function testBrokers(): string[] {
  return required('POSTHORN_TEST_KAFKA_BROKERS').split(',')
}

/** URL of a Postgres in which tests may make databases; throws when there is none. */
export function testDatabaseUrl(): string {
  return required('POSTHORN_TEST_DATABASE_URL')
}

function required(variable: string): string {
  const value = process.env[variable]
  if (!value) throw new Error(`${variable} is not set: ${HOW_TO}`)
  return value
}
