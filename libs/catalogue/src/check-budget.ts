/** Thrown out of a running check. */
export class BudgetSpent extends Error {
  constructor() {
    super('the check took too many steps')
    this.name = 'BudgetSpent'
  }
}

/**
 * What is left of the check that runs now. Compiled schemas count it down in place; a check never waits,
 * so that one counter serves them all.
 */
export const budget = { left: 0, spent: new BudgetSpent() }

/** Takes steps from the running check. Throws BudgetSpent. */
export function spend(steps: number): void {
  budget.left -= steps
  if (budget.left < 0) throw budget.spent
}

export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'spent' }

/** Runs a check; `spent` when it needs more than `steps`, or nests deeper than the stack allows. */
export function within<T>(steps: number, check: () => T): Outcome<T> {
  budget.left = steps
  try {
    return { kind: 'done', value: check() }
  } catch (error) {
    if (error === budget.spent || error instanceof RangeError) return { kind: 'spent' }
    throw error
  }
}
