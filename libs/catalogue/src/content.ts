import type { BuiltInEventType } from './event-type.js'
import { ANYTHING, COUNT, FLAG, ID, listOf, object, SHARE, TEXT, TEXTS } from './json-types.js'

const DOCUMENT = { document_id: 'doc_8tWvR1', collection: 'contracts' } as const
const DOCUMENT_FIELDS = { document_id: ID, collection: ID }

/** Documents that come and go. */
export const DOCUMENT_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'document.added',
    description: 'A document was added to a collection.',
    schema: object(DOCUMENT_FIELDS, { title: TEXT, media_type: ID, bytes: COUNT, version: COUNT }),
    example: { ...DOCUMENT, title: 'Lease, Hauptstraße 12', media_type: 'application/pdf', bytes: 348_112, version: 1 },
  },
  {
    type: 'document.updated',
    description: 'The content or the properties of a document changed.',
    schema: object({ ...DOCUMENT_FIELDS, changed: TEXTS }, { version: COUNT, updated_by: ID }),
    example: { ...DOCUMENT, changed: ['title', 'content'], version: 2, updated_by: 'user_77' },
  },
  {
    type: 'document.deleted',
    description: 'A document was removed from its collection.',
    schema: object(DOCUMENT_FIELDS, { version: COUNT, deleted_by: ID, permanent: FLAG }),
    example: { ...DOCUMENT, version: 3, deleted_by: 'user_77', permanent: false },
  },
]

const SEARCH = { search_id: 'srch_3nQp90', query: 'notice period' } as const
const SEARCH_FIELDS = { search_id: ID, query: TEXT }
const HIT = object({ document_id: ID }, { score: SHARE })

/** Searches and how they went. */
export const SEARCH_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'search.performed',
    description: 'A search was accepted and begun.',
    schema: object(SEARCH_FIELDS, { collection: ID, filters: ANYTHING, user_id: ID }),
    example: { ...SEARCH, collection: 'contracts', filters: { language: 'de' }, user_id: 'user_77' },
  },
  {
    type: 'search.results',
    description: 'The results of a search are there.',
    schema: object({ ...SEARCH_FIELDS, total: COUNT }, { took_ms: COUNT, top: listOf(HIT) }),
    example: { ...SEARCH, total: 42, took_ms: 18, top: [{ document_id: 'doc_8tWvR1', score: 0.93 }] },
  },
  {
    type: 'search.error',
    description: 'A search could not be answered.',
    schema: object({ ...SEARCH_FIELDS, code: ID, message: TEXT }, { retriable: FLAG }),
    example: { ...SEARCH, code: 'index_unavailable', message: 'contracts is being rebuilt', retriable: true },
  },
]

const ANALYSIS = { analysis_id: 'anl_77bDx2', kind: 'sentiment' } as const
const ANALYSIS_FIELDS = { analysis_id: ID, kind: ID }

/** Analyses that run in the background. */
export const ANALYSIS_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'analysis.started',
    description: 'An analysis began.',
    schema: object(ANALYSIS_FIELDS, { documents: COUNT, requested_by: ID }),
    example: { ...ANALYSIS, documents: 120, requested_by: 'user_77' },
  },
  {
    type: 'analysis.completed',
    description: 'An analysis ended with a result.',
    schema: object(ANALYSIS_FIELDS, { documents: COUNT, took_ms: COUNT, summary: ANYTHING }),
    example: { ...ANALYSIS, documents: 120, took_ms: 5_320, summary: { positive: 81, neutral: 30, negative: 9 } },
  },
  {
    type: 'analysis.error',
    description: 'An analysis ended without a result.',
    schema: object({ ...ANALYSIS_FIELDS, code: ID, message: TEXT }, { retriable: FLAG }),
    example: { ...ANALYSIS, code: 'unsupported_language', message: 'doc_8tWvR1 is in a language without a model' },
  },
]
