import { GrpcMethod } from '@nestjs/microservices'
import {
  AlertScopeQuery,
  GrpcCalledBy,
  IfVersion,
  ListAlertSettingsQuery,
  Message,
  MessageFields,
  messageOf,
  MessageText,
  PatchMessage,
  type Caller,
} from '@posthorn/api'
import { CasesHolder, type HoldsCases } from './alert-settings.js'

export const ALERT_SERVICE = 'AlertService'

type DtoClass = new () => object

/** What one kind of settings of alerts is called in the methods, and what they take. */
export interface SettingMethods {
  readonly noun: string
  readonly created: DtoClass
  /** Its body, and the field of the message that has it; absent where nothing can be changed. */
  readonly changed?: { readonly body: DtoClass; readonly field: string }
}

/** The methods that rules, channels and silences have alike. */
export function alertSettingsGrpc({ noun, created, changed }: SettingMethods): HoldsCases {
  class Settings extends CasesHolder {
    @GrpcMethod(ALERT_SERVICE, `Create${noun}`)
    async create(@GrpcCalledBy() caller: Caller, @Message(created) body: never): Promise<unknown> {
      return messageOf(await this.cases.create(caller, body))
    }

    @GrpcMethod(ALERT_SERVICE, `List${noun}s`)
    async list(
      @GrpcCalledBy() caller: Caller,
      @Message(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
    ): Promise<unknown> {
      return messageOf(await this.cases.list(caller, query))
    }

    @GrpcMethod(ALERT_SERVICE, `Get${noun}`)
    async get(
      @GrpcCalledBy() caller: Caller,
      @MessageText('id') id: string,
      @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
    ): Promise<unknown> {
      return messageOf(await this.cases.get(caller, id, scope))
    }

    @GrpcMethod(ALERT_SERVICE, `Delete${noun}`)
    async remove(
      @GrpcCalledBy() caller: Caller,
      @MessageText('id') id: string,
      @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
      @IfVersion() version: number | undefined,
    ): Promise<unknown> {
      await this.cases.remove(caller, id, scope, version)
      return {}
    }
  }
  return changed ? changing(noun, changed, Settings) : Settings
}

function changing(noun: string, { body: dto, field }: Required<SettingMethods>['changed'], Base: HoldsCases) {
  class Changing extends Base {
    @GrpcMethod(ALERT_SERVICE, `Update${noun}`)
    async change(
      @GrpcCalledBy() caller: Caller,
      @MessageText('id') id: string,
      @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
      @PatchMessage(dto, field) body: never,
      @IfVersion() version: number | undefined,
    ): Promise<unknown> {
      return messageOf(await this.cases.change!(caller, id, body, scope, version))
    }
  }
  return Changing
}
