/** What a webhook or a deployment may ask for at least; older ones are never spoken. */
export const TLS_VERSIONS = ['1.2', '1.3'] as const
export type TlsVersion = (typeof TLS_VERSIONS)[number]

/** The stricter of the two. */
export function laterTlsVersion(one: TlsVersion | undefined, other: TlsVersion): TlsVersion {
  return one !== undefined && TLS_VERSIONS.indexOf(one) > TLS_VERSIONS.indexOf(other) ? one : other
}
