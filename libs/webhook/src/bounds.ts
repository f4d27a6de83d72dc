/** A bound with hysteresis: what rose over `over` stays over until it is under `under`. */
export interface Bounds {
  readonly over: number
  readonly under: number
}

/** Whether a value counts as over; `was`: whether it did before. */
export function isOver(was: boolean, value: number, { over, under }: Bounds): boolean {
  return was ? value >= under : value > over
}
