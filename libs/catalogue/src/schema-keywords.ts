/** The dialects that are taken, by `$schema`. Without it a schema is 2020-12. */
export type Dialect = '2020-12' | 'draft-07'

const DIALECTS: ReadonlyMap<string, Dialect> = new Map(
  Object.entries({
    'https://json-schema.org/draft/2020-12/schema': '2020-12',
    'http://json-schema.org/draft-07/schema': 'draft-07',
    'https://json-schema.org/draft-07/schema': 'draft-07',
  } as const),
)

/** Undefined when this dialect is not known. */
export function dialectOf(declared: unknown): Dialect | undefined {
  if (declared === undefined) return '2020-12'
  return typeof declared === 'string' ? DIALECTS.get(declared.replace(/#$/, '')) : undefined
}

/**
 * What a keyword's value is made of, and how it is treated:
 * `schema`, `schemas` (an array) and `map` (by name) hold schemas; `tuple` holds one or an array;
 * `dependencies` holds schemas or lists of names; `assertion` is for ajv alone; `annotation` asserts nothing
 * and is left out; `refused` would let a schema reach outside itself, or past our own check of its references.
 */
export type KeywordKind =
  'schema' | 'schemas' | 'map' | 'tuple' | 'dependencies' | 'assertion' | 'annotation' | 'reference' | 'refused'

const keywords = (kind: KeywordKind, ...names: string[]) => names.map(name => [name, kind] as const)

const COMMON = [
  ...keywords('schema', 'contains', 'additionalProperties', 'propertyNames', 'if', 'then', 'else', 'not'),
  ...keywords('schemas', 'allOf', 'anyOf', 'oneOf'),
  ...keywords('map', 'properties', 'patternProperties', '$defs', 'definitions'),
  ...keywords('assertion', 'type', 'const', 'enum', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum'),
  ...keywords('assertion', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems'),
  ...keywords('assertion', 'uniqueItems', 'maxProperties', 'minProperties', 'required', 'format'),
  ...keywords('annotation', '$schema', '$comment', 'title', 'description', 'default', 'examples', 'readOnly'),
  ...keywords('annotation', 'writeOnly', 'contentEncoding', 'contentMediaType', 'contentSchema', 'deprecated'),
  ...keywords('reference', '$ref'),
  ...keywords('refused', '$id', '$anchor', '$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'),
  ...keywords('refused', '$vocabulary'),
]

const KEYWORDS: Readonly<Record<Dialect, ReadonlyMap<string, KeywordKind>>> = {
  '2020-12': new Map([
    ...COMMON,
    ...keywords('schema', 'items', 'unevaluatedItems', 'unevaluatedProperties'),
    ...keywords('schemas', 'prefixItems'),
    ...keywords('map', 'dependentSchemas'),
    ...keywords('assertion', 'minContains', 'maxContains', 'dependentRequired'),
  ]),
  'draft-07': new Map([
    ...COMMON,
    ...keywords('tuple', 'items'),
    ...keywords('schema', 'additionalItems'),
    ...keywords('dependencies', 'dependencies'),
  ]),
}

/** Undefined for a name that the dialect gives no meaning: an annotation, by its own rules. */
export function kindOf(dialect: Dialect, keyword: string): KeywordKind | undefined {
  return KEYWORDS[dialect].get(keyword)
}

/** Keywords whose schemas apply to the same value as the schema that has them. */
export const IN_PLACE: ReadonlySet<string> = new Set([
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas', 'dependencies'],
])
