import { context, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import { EventSubscriber, type AfterQueryEvent, type EntitySubscriberInterface } from 'typeorm'
import type { SqlClient, SqlPool, SqlResult, SqlStatement } from './history-pool.js'

/** Values are never in the text: statements have parameters for them. */
const MAX_TEXT = 1024

/** A span of a query that ran until now, for what is recorded already: nobody looks for a query alone. */
function querySpan(text: string, startedAt: number): Span | undefined {
  if (!trace.getSpan(context.active())?.isRecording()) return undefined
  const operation = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'QUERY'
  return trace.getTracer('posthorn').startSpan(operation, {
    kind: SpanKind.CLIENT,
    startTime: startedAt,
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      'db.query.text': text.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT),
    },
  })
}

function fail(span: Span | undefined, error: unknown): void {
  const { code, name } = error as { code?: unknown; name?: unknown }
  span?.setAttribute('error.type', String(code ?? name ?? 'unknown'))
  span?.setStatus({ code: SpanStatusCode.ERROR })
}

/** Spans of what goes through TypeORM. */
@EventSubscriber()
export class QuerySpans implements EntitySubscriberInterface {
  afterQuery({ query, success, executionTime = 0, error }: AfterQueryEvent): void {
    const span = querySpan(query, Date.now() - executionTime)
    if (!success) fail(span, error)
    span?.end()
  }
}

/** The pool, with a span for each query of its clients. */
export function traced(pool: SqlPool): SqlPool {
  return {
    connect: async () => tracedClient(await pool.connect()),
    query: (text, values) => timed(text, () => pool.query(text, values)),
    end: () => pool.end(),
  }
}

function tracedClient(client: SqlClient): SqlClient {
  return {
    query: statement => timed(textOf(statement), () => client.query(statement)),
    release: destroy => client.release(destroy),
  }
}

const textOf = (statement: string | SqlStatement) => (typeof statement === 'string' ? statement : statement.text)

async function timed(text: string, run: () => Promise<SqlResult>): Promise<SqlResult> {
  const startedAt = Date.now()
  try {
    const result = await run()
    querySpan(text, startedAt)?.end()
    return result
  } catch (error) {
    const span = querySpan(text, startedAt)
    fail(span, error)
    span?.end()
    throw error
  }
}

/** Runs a piece of work as a trace of its own. */
export function asTrace<T>(name: string, records: number, run: () => Promise<T>): Promise<T> {
  const attributes = { 'messaging.batch.message_count': records }
  return trace.getTracer('posthorn').startActiveSpan(name, { kind: SpanKind.INTERNAL, attributes }, async span => {
    try {
      return await run()
    } catch (error) {
      fail(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}
