import { CommandFault } from '../command.js'

/** An error of the API, as problem+json has it; every field may be missing where something else answered. */
export interface Problem {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
  readonly action?: string
  readonly request_id?: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

const SHOWN_FAULTS = 20
const SHOWN_TEXT = 300

/** The API, or what stands in front of it, answered an error. */
export class ApiFailure extends CommandFault {
  private constructor(
    readonly status: number,
    readonly problem: Problem,
    message: string,
  ) {
    super(message)
  }

  /** From an answer that is not 2xx; `body` is its JSON, or its text where it is none. */
  static of(response: Response, body: unknown): ApiFailure {
    const problem = isProblem(body) ? body : {}
    const text = typeof body === 'string' ? body.replace(/\s+/g, ' ').trim().slice(0, SHOWN_TEXT) : ''
    return new ApiFailure(response.status, problem, failureText(response, problem, text))
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && typeof (body as Problem).code === 'string'
}

/** One sentence of what is wrong, the faults, what to do, and by what it is found in the logs. */
function failureText({ status, url }: Response, problem: Problem, text: string): string {
  const { code, title, detail, action, request_id: id, errors = [] } = problem
  if (code === undefined)
    return `${new URL(url).origin} answered ${status}, and not as Posthorn does${text === '' ? '.' : `: ${text}`}`
  const said = detail ?? title ?? ''
  // The sentence tells of the first one mostly.
  const news = errors.length === 1 && said.includes(errors[0]!.detail) ? [] : errors
  const shown = news.slice(0, SHOWN_FAULTS).map(fault => `  ${fault.pointer || '(all)'}: ${fault.detail}`)
  const more = news.length > SHOWN_FAULTS ? [`  and ${news.length - SHOWN_FAULTS} more`] : []
  const where = id === undefined ? `${status}` : `${status}, request ${id}`
  return [`${said} (${code}, ${where})`, ...shown, ...more, ...(action === undefined ? [] : [action])].join('\n')
}

/** A request that got no answer, as a fault that names whom it was for and how to name another. */
export function unreachable(url: string, option: string, error: unknown): CommandFault {
  const { cause, name, message } = error as Error
  const causes = cause instanceof AggregateError ? (cause.errors as Error[]) : [cause as Error | undefined]
  const why = name === 'TimeoutError' ? 'no answer in time' : (causes.find(Boolean)?.message ?? message)
  return new CommandFault(`${new URL(url).origin} does not answer (${why}): is it running, and is ${option} right?`)
}
