import { unlessStopped, type Command, type Terminal } from '../command.js'
import { embeddedDir } from '../local-plan.js'
import { RunFiles } from '../run-file.js'
import { connectionOf } from './connection.js'
import { ApiFailure } from './failure.js'
import { readText } from './options.js'
import { parseNoun } from './parse.js'
import { jsonOf, textOf } from './print.js'
import type { Answer, Noun, Reach } from './verb.js'

/** The command of a noun: reads the arguments, does it, prints the answer. */
export function runNoun(noun: Noun): Command['run'] {
  return async (args, terminal) => {
    const { print, env, stop } = terminal
    const parsed = parseNoun(noun, args, readText)
    if (parsed.kind === 'help') {
      print(parsed.text)
      return 0
    }
    const { verb, call, connection, json } = parsed
    const running = () => new RunFiles(embeddedDir(env)).running()
    const reach: Reach = { env, connection: () => connectionOf(connection, env, running()) }
    try {
      const answer = await unlessStopped(verb.run(call, reach), stop)
      show(answer, json, terminal)
      return answer.kind === 'list' && answer.checked?.failed === true ? 1 : 0
    } catch (error) {
      if (json && error instanceof Error) print(JSON.stringify({ error: errorJson(error) }))
      throw error
    }
  }
}

function show(answer: Answer, json: boolean, { print, say }: Terminal): void {
  print(json ? jsonOf(answer) : textOf(answer))
  if (answer.kind === 'item' && answer.note !== undefined) say(answer.note)
  if (answer.kind === 'list' && answer.checked) say(answer.checked.sentence)
  if (answer.kind === 'list' && typeof answer.page.next_cursor === 'string' && !json)
    say(`There are more: a larger --limit, or --cursor ${answer.page.next_cursor}`)
}

/** What a program may tell failures apart by: `code` and `status` are there when the API answered. */
function errorJson(error: Error): object {
  return error instanceof ApiFailure
    ? { message: error.message, status: error.status, ...error.problem }
    : { message: error.message }
}
