import { Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  AlertScopeQuery,
  Answers,
  AnswersList,
  CalledBy,
  Does,
  IfMatch,
  JsonBody,
  ListAlertSettingsQuery,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { CasesHolder, type HoldsCases } from './alert-settings.js'

type DtoClass = new () => object

/** What one kind of settings of alerts says of itself in the API. */
export interface SettingRoutes {
  readonly path: string
  readonly view: DtoClass
  readonly created: DtoClass
  /** Absent where nothing can be changed. */
  readonly changed?: DtoClass
  /** Summaries of the operations. */
  readonly does: { readonly [O in 'create' | 'list' | 'get' | 'change' | 'remove']?: string }
}

/**
 * The routes that rules, channels and silences have alike, in the order in which the API's document has
 * them: those of a class come before those of what it extends. `own` has what only one kind has.
 */
export function alertSettingsEdge(routes: SettingRoutes, own: HoldsCases = CasesHolder): HoldsCases {
  const removed = removing(routes, own)
  const { changed } = routes
  return making(routes, changed ? changing({ ...routes, changed }, removed) : removed)
}

function making({ path, view, created, does }: SettingRoutes, Base: HoldsCases): HoldsCases {
  class Making extends Base {
    @Post()
    @Does(does.create!)
    @HttpCode(201)
    @Answers(201, view)
    async create(
      @CalledBy() caller: Caller,
      @JsonBody(created) body: never,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<object> {
      const setting = await this.cases.create(caller, body)
      reply.header('location', `/${path}/${setting.id}`)
      return setting
    }

    @Get()
    @Does(does.list!)
    @AnswersList(view)
    list(
      @CalledBy() caller: Caller,
      @QueryOf(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
    ): Promise<ListView<object>> {
      return this.cases.list(caller, query)
    }

    @Get(':id')
    @Does(does.get!)
    @Answers(200, view)
    get(
      @CalledBy() caller: Caller,
      @Param('id') id: string,
      @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
    ): Promise<object> {
      return this.cases.get(caller, id, scope)
    }
  }
  return Making
}

function changing(
  { view, changed, does }: SettingRoutes & { readonly changed: DtoClass },
  Base: HoldsCases,
): HoldsCases {
  class Changing extends Base {
    @Patch(':id')
    @Does(does.change!)
    @Answers(200, view)
    change(
      @CalledBy() caller: Caller,
      @Param('id') id: string,
      @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
      @JsonBody(changed, 'application/merge-patch+json') body: never,
      @IfMatch() version: number | undefined,
    ): Promise<object> {
      return this.cases.change!(caller, id, body, scope, version)
    }
  }
  return Changing
}

function removing({ does }: SettingRoutes, Base: HoldsCases): HoldsCases {
  class Removing extends Base {
    @Delete(':id')
    @Does(does.remove!)
    @HttpCode(204)
    @Answers(204)
    remove(
      @CalledBy() caller: Caller,
      @Param('id') id: string,
      @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
      @IfMatch() version: number | undefined,
    ): Promise<void> {
      return this.cases.remove(caller, id, scope, version)
    }
  }
  return Removing
}
