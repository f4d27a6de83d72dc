/** What came of one try to tell somebody. */
export type SendOutcome =
  | { readonly kind: 'sent' }
  /** Another time it may go. */
  | { readonly kind: 'retry'; readonly error: string }
  | { readonly kind: 'failed'; readonly error: string }

export function retry(error: string): SendOutcome {
  return { kind: 'retry', error }
}
