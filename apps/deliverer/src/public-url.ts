/** A URL without what may be a credential: user, password, query and fragment. */
export function publicUrl(text: string): string {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  url.search = ''
  url.hash = ''
  return url.href
}
