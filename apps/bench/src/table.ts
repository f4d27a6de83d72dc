export type Row = readonly [label: string, ...values: (string | number)[]]

/** Prints a Markdown table, as docs/benchmarks.md has it. */
export function printTable(head: Row, rows: readonly Row[]): void {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`
  console.log([line(head), line(head.map(() => '---') as unknown as Row), ...rows.map(line)].join('\n'), '\n')
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const round = (value: number, digits = 0) => Number(value.toFixed(digits))
export const perSecond = (value: number) => `${Math.round(value).toLocaleString('en-US')}/s`
export const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
