import { escapePointer, type Problem } from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'
import { headersFaults, MAX_HEADER_VALUE, REDACTED } from './webhook-fields.js'

/** How a request shows its receiver who sends it, beside the signature. */
export const AUTHENTICATIONS = ['bearer', 'basic', 'api_key'] as const
export type AuthenticationType = (typeof AUTHENTICATIONS)[number]

/** As a request has it, and as it is shown, its secret redacted. */
export type AuthenticationBody =
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'api_key'; readonly header?: string | null; readonly value: string }
export type AuthenticationView = AuthenticationBody

const API_KEY_HEADER = 'x-api-key'
const MAX_USERNAME = 256
const MAX_PASSWORD = 1024
const TOKEN = /^[\x21-\x7e]+$/
/** RFC 7617: no control characters; of the user name no colon, which ends it. */
const PASSWORD = /^\P{Cc}+$/u
const USERNAME = /^[^:\p{Cc}]+$/u
const MEMBERS: Readonly<Record<AuthenticationType, readonly string[]>> = {
  bearer: ['token'],
  basic: ['username', 'password'],
  api_key: ['header', 'value'],
}

const text = (description: string) => ({ type: 'string', nullable: true, description }) as const

/** How `authentication` is documented. */
export const AUTHENTICATION_SCHEMA = {
  type: 'object',
  description:
    'What requests show to the receiver beside the signature. Kept sealed, shown redacted, replaced as a whole.',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { enum: [...AUTHENTICATIONS] },
    token: text('Of bearer: Authorization: Bearer <token>.'),
    username: text('Of basic.'),
    password: text('Of basic.'),
    header: text(`Of api_key: the header that has the value; ${API_KEY_HEADER} unless set.`),
    value: text('Of api_key.'),
  },
} as const satisfies FieldSchema

const fault = (message: string, pointer = ''): Problem[] => [{ pointer, message }]

/** Faults of a webhook's `authentication`; none repeats a value. */
export function authenticationFaults(authentication: unknown): Problem[] {
  if (typeof authentication !== 'object' || authentication === null || Array.isArray(authentication))
    return fault('must be an object such as {"type": "bearer", "token": "…"}')
  const { type, ...members } = authentication as Readonly<Record<string, unknown>>
  if (!AUTHENTICATIONS.includes(type as AuthenticationType))
    return fault(`must be one of ${AUTHENTICATIONS.join(', ')}`, '/type')
  const names = MEMBERS[type as AuthenticationType]
  const unknown = Object.keys(members).filter(name => !names.includes(name))
  return [
    ...unknown.flatMap(name => fault(`is no field of ${type as string}`, `/${escapePointer(name)}`)),
    ...names.flatMap(name => memberFaults(name, members[name])),
  ]
}

function memberFaults(name: string, value: unknown): Problem[] {
  if (name === 'header') return headerFaults(value)
  const pointer = `/${name}`
  if (value === undefined || value === null) return fault('is required', pointer)
  if (value === REDACTED) return fault('is what stands for a value that is not shown: send the value itself', pointer)
  switch (name) {
    case 'token':
      return textFaults(value, TOKEN, MAX_HEADER_VALUE, 'printable ASCII characters without space', pointer)
    case 'username':
      return textFaults(
        value,
        USERNAME,
        MAX_USERNAME,
        'characters, none of them a colon or a control character',
        pointer,
      )
    case 'password':
      return textFaults(value, PASSWORD, MAX_PASSWORD, 'characters, none of them a control character', pointer)
    default:
      return headersFaults({ [API_KEY_HEADER]: value }).map(({ message }) => ({ pointer, message }))
  }
}

function headerFaults(header: unknown): Problem[] {
  if (header === undefined || header === null) return []
  if (typeof header !== 'string') return fault('must be a string', '/header')
  return headersFaults({ [header]: 'x' }).map(({ message }) => ({ pointer: '/header', message }))
}

function textFaults(value: unknown, form: RegExp, most: number, what: string, pointer: string): Problem[] {
  const fits = typeof value === 'string' && value.length <= most && form.test(value)
  return fits ? [] : fault(`must be 1 to ${most} ${what}`, pointer)
}

/** The header that shows it, its name in lower case. */
export function authenticationHeader(body: AuthenticationBody): { readonly header: string; readonly value: string } {
  switch (body.type) {
    case 'bearer':
      return { header: 'authorization', value: `Bearer ${body.token}` }
    case 'basic': {
      const credentials = Buffer.from(`${body.username}:${body.password}`).toString('base64')
      return { header: 'authorization', value: `Basic ${credentials}` }
    }
    case 'api_key':
      return { header: (body.header ?? API_KEY_HEADER).toLowerCase(), value: body.value }
  }
}

/** What is kept of it beside the sealed value. */
export interface KnownAuthentication {
  readonly type: AuthenticationType
  readonly header: string
  /** Of basic. */
  readonly username?: string
}

export function authenticationView({ type, header, username = '' }: KnownAuthentication): AuthenticationView {
  switch (type) {
    case 'bearer':
      return { type, token: REDACTED }
    case 'basic':
      return { type, username, password: REDACTED }
    case 'api_key':
      return { type, header, value: REDACTED }
  }
}
