import type { ServerUnaryCall } from '@grpc/grpc-js'
import { createParamDecorator, Inject, type ExecutionContext } from '@nestjs/common'
import { GrpcMethod, GrpcStreamMethod } from '@nestjs/microservices'
import { ApiError, callOf, GrpcCalledBy, GrpcEdge, Needs, textOf, type Caller } from '@posthorn/api'
import { from, type Observable } from 'rxjs'
import { readMessages, type EventMessage, type MessageOrigin } from './publish-messages.js'
import { PUBLISH_PARTS } from './publish.edge.js'
import { published, publishRead, type PublishedEvent, type PublishParts } from './publish.js'
import { Tenants } from './tenants.js'

const SERVICE = 'PublishService'
/** What one stream may have under way: beyond it the client is held back. */
const MAX_UNDER_WAY = 500
/** Each is answered at the end of the stream, and remembered until then. */
const MAX_STREAMED = 100_000

type Call = ServerUnaryCall<unknown, unknown>
type Streamed = Observable<{ readonly event?: EventMessage }>
interface Answer {
  readonly data: readonly PublishedEvent[]
}

const TheCall = createParamDecorator((_: unknown, context: ExecutionContext) => callOf(context))
const Messages = createParamDecorator((_: unknown, context: ExecutionContext) => context.getArgByIndex<Streamed>(0))

/** The gRPC way in, over the same steps as the HTTP one. */
@GrpcEdge()
export class PublishGrpc {
  constructor(
    private readonly tenants: Tenants,
    @Inject(PUBLISH_PARTS) private readonly parts: PublishParts,
  ) {}

  @GrpcMethod(SERVICE, 'Publish')
  @Needs('publish')
  async publish(@GrpcCalledBy() caller: Caller, @TheCall() call: Call): Promise<Answer> {
    this.tenants.require(caller.tenant)
    const { events = [] } = call.request as { readonly events?: readonly EventMessage[] }
    return { data: await this.take(caller, call, events, { pointer: '/events', first: 0 }) }
  }

  /**
   * An Observable, not a promise: Nest hands out what came before the key was checked when the method
   * has returned, to its first parameter.
   */
  @GrpcStreamMethod(SERVICE, 'PublishStream')
  @Needs('publish')
  publishStream(
    @Messages() messages: Streamed,
    @GrpcCalledBy() caller: Caller,
    @TheCall() call: Call,
  ): Observable<Answer> {
    return from(this.takeStream(messages, caller, call))
  }

  private async takeStream(messages: Streamed, caller: Caller, call: Call): Promise<Answer> {
    this.tenants.require(caller.tenant)
    const take = async (event: EventMessage, first: number) =>
      (await this.take(caller, call, [event], { pointer: '', first }))[0]!
    return { data: await takeAll(messages, heldBack(call), take) }
  }

  private async take(
    { tenant }: Caller,
    { metadata }: Call,
    events: readonly EventMessage[],
    place: Pick<MessageOrigin, 'pointer' | 'first'>,
  ): Promise<readonly PublishedEvent[]> {
    const key = textOf(metadata, 'idempotency-key')
    const publication = await publishRead(
      rules => readMessages(events, { tenant, ...rules }, { key, ...place }),
      textOf(metadata, 'traceparent'),
      this.parts,
    )
    return publication.events.map(published)
  }
}

/** Told how many are under way: the client is held back while those are too many. */
type HoldBack = (underWay: number) => void

function heldBack(call: Call): HoldBack {
  // Of a stream of requests the call is readable, which the type of a unary call does not say.
  const stream = call as unknown as { pause(): void; resume(): void }
  let paused = false
  return underWay => {
    if (!paused && underWay >= MAX_UNDER_WAY) {
      paused = true
      stream.pause()
    } else if (paused && underWay <= MAX_UNDER_WAY / 2) {
      paused = false
      stream.resume()
    }
  }
}

/** Takes each message as it comes; resolves with the answers in their order, rejects with the first failure. */
function takeAll(
  messages: Streamed,
  holdBack: HoldBack,
  take: (event: EventMessage, index: number) => Promise<PublishedEvent>,
): Promise<PublishedEvent[]> {
  return new Promise((resolve, reject) => {
    const taken: Promise<PublishedEvent>[] = []
    let underWay = 0
    const subscription = messages.subscribe({
      next: ({ event = {} }) => {
        if (taken.length >= MAX_STREAMED)
          return fail(new ApiError('batch_size', `A stream may have at most ${MAX_STREAMED} events.`))
        holdBack(++underWay)
        const one = take(event, taken.length).finally(() => holdBack(--underWay))
        one.catch(fail)
        taken.push(one)
      },
      error: fail,
      complete: () => void Promise.all(taken).then(resolve, reject),
    })
    function fail(error: unknown): void {
      subscription?.unsubscribe()
      reject(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
