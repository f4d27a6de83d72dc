import { metrics, type BatchObservableResult } from '@opentelemetry/api'
import type { Pool } from 'pg'

type Counts = Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount'>

/** Connections of a pool, by its name (posthorn-<target>), and who waits for one. Returns what ends watching. */
export function watchPool(name: string, most: number, pool: () => Counts | undefined): () => void {
  const meter = metrics.getMeter('posthorn')
  const gauge = (metric: string, description: string) => meter.createObservableGauge(metric, { description })
  const connections = gauge('posthorn_database_connections', 'Connections to Postgres, by pool and state.')
  const bound = gauge('posthorn_database_connections_max', 'Connections that a pool may hold.')
  const waiting = gauge('posthorn_database_waiting', 'Queries and transactions that wait for a connection.')
  const all = [connections, bound, waiting]
  const observe = (result: BatchObservableResult) => {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = pool() ?? {}
    result.observe(connections, totalCount - idleCount, { pool: name, state: 'used' })
    result.observe(connections, idleCount, { pool: name, state: 'idle' })
    result.observe(bound, most, { pool: name })
    result.observe(waiting, waitingCount, { pool: name })
  }
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}
