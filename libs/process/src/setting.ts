import { isIP } from 'node:net'
import { Transform } from 'class-transformer'
import { IsInt, Max, Min } from 'class-validator'

/** What all variables start with. */
export const PREFIX = 'POSTHORN_'

/** One line of the configuration page; the page is checked against this list. */
export interface SettingDescription {
  readonly variable: string
  readonly default: string
  readonly meaning: string
}

const descriptions: SettingDescription[] = []
/** Fields by their variables. */
export const FIELDS = new Map<string, string>()

/** Names the environment variable of a field and what it means; the field's initial value is its default. */
export function Setting(name: string, defaultText: string, meaning: string): PropertyDecorator {
  return (_target, property) => {
    descriptions.push({ variable: PREFIX + name, default: defaultText, meaning })
    FIELDS.set(PREFIX + name, String(property))
  }
}

export const number = () =>
  Transform(({ value }) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value))
export const list = () =>
  Transform(({ value }) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map(part => part.trim())
          .filter(part => part !== '')
      : value,
  )

export function isAddressOrRange(text: unknown): boolean {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(String(text)) ?? []
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return most > 0 && Number(bits ?? 0) <= most
}

export function port(): PropertyDecorator {
  return (target, property) => {
    for (const decorate of [number(), IsInt(), Min(0), Max(65_535)]) decorate(target, property)
  }
}

/** All variables, in the order of the class, for the configuration page and for `--help`. */
export const SETTING_DESCRIPTIONS: readonly SettingDescription[] = descriptions
