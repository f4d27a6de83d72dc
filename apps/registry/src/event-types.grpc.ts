import { GrpcMethod } from '@nestjs/microservices'
import {
  AddVersionBody,
  CheckEventTypeBody,
  CreateEventTypeBody,
  EventTypeQuery,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListEventTypesQuery,
  ListVersionsQuery,
  Message,
  MessageFields,
  MessageNumber,
  messageOf,
  MessageText,
  Needs,
  OwnEventTypeQuery,
  PatchEventTypeBody,
  PatchMessage,
  type Caller,
  type JsonFields,
} from '@posthorn/api'
import { EventTypeCases } from './event-types.js'
import { GrpcManners } from './grpc-manners.js'

const SERVICE = 'EventTypeService'
const JSON_FIELDS: JsonFields = { schema: 'struct', example: 'struct' }
const answer = (view: object) => messageOf(view, Object.keys(JSON_FIELDS))

@GrpcEdge(GrpcManners)
export class EventTypesGrpc {
  constructor(private readonly types: EventTypeCases) {}

  @GrpcMethod(SERVICE, 'CreateEventType')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateEventTypeBody, 'event_type', JSON_FIELDS) body: CreateEventTypeBody,
  ): Promise<unknown> {
    return answer(await this.types.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListEventTypes')
  async list(
    @GrpcCalledBy() caller: Caller,
    @Message(ListEventTypesQuery) query: ListEventTypesQuery,
  ): Promise<unknown> {
    return answer(await this.types.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetEventType')
  async get(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(EventTypeQuery, ['scope']) { scope }: EventTypeQuery,
  ): Promise<unknown> {
    return answer(await this.types.get(caller, type, scope))
  }

  @GrpcMethod(SERVICE, 'UpdateEventType')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(OwnEventTypeQuery, ['scope']) { scope }: OwnEventTypeQuery,
    @PatchMessage(PatchEventTypeBody, 'event_type', JSON_FIELDS) body: PatchEventTypeBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return answer(await this.types.change(caller, type, scope, body, version))
  }

  @GrpcMethod(SERVICE, 'DeprecateEventType')
  async deprecate(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(OwnEventTypeQuery, ['scope']) { scope }: OwnEventTypeQuery,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return answer(await this.types.setStatus(caller, type, scope, 'deprecated', version))
  }

  @GrpcMethod(SERVICE, 'ArchiveEventType')
  async archive(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(OwnEventTypeQuery, ['scope']) { scope }: OwnEventTypeQuery,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return answer(await this.types.setStatus(caller, type, scope, 'archived', version))
  }

  @GrpcMethod(SERVICE, 'RestoreEventType')
  async restore(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(OwnEventTypeQuery, ['scope']) { scope }: OwnEventTypeQuery,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return answer(await this.types.setStatus(caller, type, scope, 'active', version))
  }

  @GrpcMethod(SERVICE, 'AddEventTypeVersion')
  async addVersion(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(OwnEventTypeQuery, ['scope']) { scope }: OwnEventTypeQuery,
    @MessageFields(AddVersionBody, ['schema', 'example', 'allow_breaking'], JSON_FIELDS) body: AddVersionBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return answer(await this.types.addVersion(caller, type, scope, body, version))
  }

  @GrpcMethod(SERVICE, 'ListEventTypeVersions')
  async versions(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(ListVersionsQuery, ['scope', 'limit', 'cursor']) query: ListVersionsQuery,
  ): Promise<unknown> {
    return answer(await this.types.versions(caller, type, query))
  }

  @GrpcMethod(SERVICE, 'GetEventTypeVersion')
  async version(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageNumber('number') number: number,
    @MessageFields(EventTypeQuery, ['scope']) { scope }: EventTypeQuery,
  ): Promise<unknown> {
    return answer(await this.types.version(caller, type, number, scope))
  }

  @GrpcMethod(SERVICE, 'CheckEventType')
  @Needs('read')
  async check(
    @GrpcCalledBy() caller: Caller,
    @MessageText('type') type: string,
    @MessageFields(EventTypeQuery, ['scope']) { scope }: EventTypeQuery,
    @MessageFields(CheckEventTypeBody, ['schema', 'data'], { schema: 'struct', data: 'value' })
    body: CheckEventTypeBody,
  ): Promise<unknown> {
    return answer(await this.types.check(caller, type, scope, body))
  }
}
