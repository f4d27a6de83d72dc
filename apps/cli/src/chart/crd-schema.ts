/** The part of a CustomResourceDefinition that is read. */
export interface Crd {
  readonly kind: 'CustomResourceDefinition'
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

interface Schema {
  readonly [keyword: string]: unknown
}

/** A JSON schema for each version of the CRD, strict: what the API server would drop is refused. */
export function crdSchemas({ spec }: Crd): { readonly path: string; readonly schema: Schema }[] {
  return spec.versions.map(({ name, schema }) => ({
    path: `${spec.group}/${spec.names.kind.toLowerCase()}_${name}.json`,
    schema: strictRoot(schema.openAPIV3Schema),
  }))
}

function strictRoot(schema: Schema): Schema {
  const properties = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }
  return strict({ ...schema, properties: { ...properties, ...(schema.properties as object | undefined) } })
}

/** allOf, anyOf, oneOf and not stay as they are: structural schemas keep properties outside them. */
function strict(schema: Schema): Schema {
  if (schema['x-kubernetes-int-or-string'] === true) return { oneOf: [{ type: 'string' }, { type: 'integer' }] }
  const out: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema))
    if (!keyword.startsWith('x-kubernetes') && !['description', 'default', 'nullable'].includes(keyword))
      out[keyword] = value
  if (out.properties) {
    out.properties = Object.fromEntries(Object.entries(out.properties).map(([name, each]) => [name, inner(each)]))
    if (schema['x-kubernetes-preserve-unknown-fields'] !== true) out.additionalProperties ??= false
  }
  for (const keyword of ['items', 'additionalProperties']) if (keyword in out) out[keyword] = inner(out[keyword])
  if (schema.nullable === true && typeof out.type === 'string') out.type = [out.type, 'null']
  return out
}

function inner(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null ? strict(schema as Schema) : schema
}
