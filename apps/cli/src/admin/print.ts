import type { Answer } from './verb.js'

const WIDEST_CELL = 72

/** The answer as one JSON document of one line, which does not change with what is there to see it. */
export function jsonOf(answer: Answer): string {
  switch (answer.kind) {
    case 'item':
      return answer.text ?? JSON.stringify(answer.value)
    case 'list':
      return JSON.stringify(answer.page)
    case 'done':
      return JSON.stringify(answer.value)
  }
}

/** The answer for a person. */
export function textOf(answer: Answer): string {
  switch (answer.kind) {
    case 'item':
      return itemText(answer.value)
    case 'list':
      return answer.page.data.length === 0 ? 'None.' : table(answer.page.data, answer.columns)
    case 'done':
      return answer.sentence
  }
}

function itemText(value: object): string {
  const entries = Object.entries(value)
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries
    .flatMap(([name, field]) => {
      const lines = linesOf(field)
      return lines.map((line, index) => `${(index === 0 ? name : '').padEnd(width)}  ${line}`.trimEnd())
    })
    .join('\n')
}

/** A list of objects has a line for each. */
function linesOf(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'object'))
    return value.map(each => shown(JSON.stringify(each)))
  return [shown(cell(value))]
}

/** Columns name fields, inner ones by dots. */
function table(rows: readonly object[], columns: readonly string[]): string {
  const head = columns.map(column => column.replaceAll('.', ' ').replaceAll('_', ' ').toUpperCase())
  const lines = [head, ...rows.map(row => columns.map(column => short(shown(cell(fieldOf(row, column))))))]
  const widths = columns.map((_, index) => Math.max(...lines.map(line => line[index]!.length)))
  return lines
    .map(line =>
      line
        .map((text, index) => text.padEnd(widths[index]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function fieldOf(row: object, column: string): unknown {
  let value: unknown = row
  for (const name of column.split('.')) value = (value as Record<string, unknown> | null)?.[name]
  return value
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (Array.isArray(value) && value.every(each => typeof each !== 'object'))
    return value.length === 0 ? '-' : value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)
}

/** Texts come from customers: none may move the cursor of whoever reads them. */
const shown = (text: string) => text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')

const short = (text: string) => (text.length > WIDEST_CELL ? `${text.slice(0, WIDEST_CELL - 1)}…` : text)
