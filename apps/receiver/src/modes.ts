/** How the receiver behaves, chosen by the path of the webhook's URL. */
export type Mode =
  | { readonly kind: 'hook' }
  | { readonly kind: 'fail'; readonly times: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }

/** What to do with one verified request. Only what is accepted is stored. */
export type Plan =
  | { readonly kind: 'accept'; readonly delayMs: number }
  | { readonly kind: 'refuse'; readonly status: 410 | 500 | 503; readonly retryAfterSeconds?: number }
  | { readonly kind: 'hang' }

export type ReadMode =
  | { readonly kind: 'mode'; readonly mode: Mode }
  | { readonly kind: 'unknown_path' }
  | { readonly kind: 'bad_parameter'; readonly message: string }

/** What GET / answers. */
export const MODES_TEXT = `Posthorn's sample receiver. Every request is verified first (401 when it cannot be trusted); then:
  POST /hook                 stores, notifies, answers 200
  POST /fail?times=N         500 for the first N requests of each webhook-id (1), then as /hook
  POST /slow?ms=MS           as /hook, but answers after MS milliseconds (1000)
  POST /hang                 never answers
  POST /gone                 410: asks to be sent no more
  POST /busy?retry-after=S   503 with Retry-After (1 s) for the first request of each webhook-id, then as /hook
  OPTIONS of each of them    agrees to get events (WebHook-Allowed-Origin)
`

/** Reads path and parameters. Unknown parameters are ignored, unusable ones named. */
export function readMode(url: URL): ReadMode {
  try {
    const mode = modeOf(url)
    return mode ? { kind: 'mode', mode } : { kind: 'unknown_path' }
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'bad_parameter', message: error.message }
    throw error
  }
}

function modeOf(url: URL): Mode | undefined {
  switch (url.pathname) {
    case '/hook':
      return { kind: 'hook' }
    case '/fail':
      return { kind: 'fail', times: whole(url, 'times', 1, 1000) }
    case '/slow':
      return { kind: 'slow', ms: whole(url, 'ms', 1000, 3_600_000) }
    case '/hang':
      return { kind: 'hang' }
    case '/gone':
      return { kind: 'gone' }
    case '/busy':
      return { kind: 'busy', retryAfterSeconds: whole(url, 'retry-after', 1, 86_400) }
    default:
      return undefined
  }
}

function whole(url: URL, name: string, byDefault: number, largest: number): number {
  const text = url.searchParams.get(name)
  if (text === null) return byDefault
  if (!/^\d{1,9}$/.test(text) || Number(text) > largest)
    throw new RangeError(`${name} is "${text}": give a whole number from 0 to ${largest}.`)
  return Number(text)
}

/** `refusedBefore`: how many requests of this webhook-id were refused; `stored`: whether one was accepted. */
export function planFor(mode: Mode, refusedBefore: number, stored: boolean): Plan {
  switch (mode.kind) {
    case 'hook':
      return { kind: 'accept', delayMs: 0 }
    case 'slow':
      return { kind: 'accept', delayMs: mode.ms }
    case 'hang':
      return { kind: 'hang' }
    case 'gone':
      return { kind: 'refuse', status: 410 }
    case 'fail':
      return stored || refusedBefore >= mode.times ? { kind: 'accept', delayMs: 0 } : { kind: 'refuse', status: 500 }
    case 'busy':
      return stored || refusedBefore >= 1
        ? { kind: 'accept', delayMs: 0 }
        : { kind: 'refuse', status: 503, retryAfterSeconds: mode.retryAfterSeconds }
  }
}
