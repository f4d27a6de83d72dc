import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedFault } from './fault.js'
import { step, type Progress } from './progress.js'
import { requireMaven, run } from './requirements.js'

export const KAFKA_VERSION = '4.4.0'
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

// Without the binding to log4j the broker says nothing at all, not even why it does not start.
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>posthorn</groupId>
  <artifactId>embedded-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.5</version>
    </dependency>
  </dependencies>
</project>
`

/**
 * The jars of Apache Kafka in `<cacheDir>/kafka-<version>/libs`, downloaded once (43 MB). Written
 * elsewhere and renamed, so that an interrupted download is never taken for a whole one. Returns
 * the class path in a fixed order: an AppCDS archive is only good for exactly this one.
 */
export async function kafkaClassPath(cacheDir: string, progress: Progress): Promise<string> {
  const home = join(cacheDir, `kafka-${KAFKA_VERSION}`)
  const libs = join(home, 'libs')
  if (!existsSync(libs)) await step(progress, `Downloading Apache Kafka ${KAFKA_VERSION}`, () => download(home, libs))
  return readdirSync(libs)
    .filter(name => name.endsWith('.jar'))
    .sort()
    .map(name => join(libs, name))
    .join(':')
}

async function download(home: string, libs: string): Promise<void> {
  const maven = await requireMaven()
  const partial = join(home, `libs-${process.pid}`)
  mkdirSync(home, { recursive: true })
  const pom = join(home, `pom-${process.pid}.xml`)
  writeFileSync(pom, POM)
  const args = ['-q', '-B', '-f', pom, COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${partial}`]
  try {
    const { status, output } = await run(maven, args)
    if (status !== 0)
      throw new EmbeddedFault(
        'download_failed',
        `Maven could not download Kafka; look at its words, and at the network or ~/.m2/settings.xml:\n${output.trim()}`,
      )
    // Another start may have been quicker: its libraries are as good.
    if (!existsSync(libs)) renameSync(partial, libs)
  } finally {
    rmSync(partial, { recursive: true, force: true })
    rmSync(pom, { force: true })
  }
}
