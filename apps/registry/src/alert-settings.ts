import type { Caller, KeyScope, ListAlertSettingsQuery, ListView } from '@posthorn/api'

/** The use cases of a kind of settings of alerts, as its edges know them: bodies are checked by then, views are sent as they are. */
export interface SettingCases {
  create(caller: Caller, body: never): Promise<{ readonly id: string }>
  list(caller: Caller, query: ListAlertSettingsQuery): Promise<ListView<object>>
  get(caller: Caller, id: string, scope?: KeyScope): Promise<object>
  change?(caller: Caller, id: string, body: never, scope?: KeyScope, version?: number): Promise<object>
  remove(caller: Caller, id: string, scope?: KeyScope, version?: number): Promise<void>
}

/** What the edges extend. */
export class CasesHolder {
  constructor(readonly cases: SettingCases) {}
}
export type HoldsCases = new (cases: SettingCases) => CasesHolder
