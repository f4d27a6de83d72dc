import type { StackInfo } from './run-file.js'

/** The HTTP APIs of a running stack, with its platform key. */
export class ApiClient {
  constructor(private readonly stack: Pick<StackInfo, 'api' | 'publish' | 'key'>) {}

  /** Calls the registry. Rejects with the answer when it is not 2xx. */
  call<T>(method: string, path: string, body?: object): Promise<T> {
    return this.send(`${this.stack.api}${path}`, method, body)
  }

  publish(event: object): Promise<unknown> {
    return this.send(`${this.stack.publish}/v1/publish`, 'POST', event)
  }

  private async send<T>(url: string, method: string, body: object | undefined): Promise<T> {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${this.stack.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}
