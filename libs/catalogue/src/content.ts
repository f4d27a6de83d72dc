import type { BuiltInEventType } from './event-type.js'

const DOCUMENT = { document_id: 'doc_8tWvR1', collection: 'contracts' } as const

/** Documents that come and go. */
export const DOCUMENT_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'document.added',
    description: 'A document was added to a collection.',
    example: { ...DOCUMENT, title: 'Lease, Hauptstraße 12', media_type: 'application/pdf', bytes: 348_112, version: 1 },
  },
  {
    type: 'document.updated',
    description: 'The content or the properties of a document changed.',
    example: { ...DOCUMENT, changed: ['title', 'content'], version: 2, updated_by: 'user_77' },
  },
  {
    type: 'document.deleted',
    description: 'A document was removed from its collection.',
    example: { ...DOCUMENT, version: 3, deleted_by: 'user_77', permanent: false },
  },
]

const SEARCH = { search_id: 'srch_3nQp90', query: 'notice period' } as const

/** Searches and how they went. */
export const SEARCH_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'search.performed',
    description: 'A search was accepted and begun.',
    example: { ...SEARCH, collection: 'contracts', filters: { language: 'de' }, user_id: 'user_77' },
  },
  {
    type: 'search.results',
    description: 'The results of a search are there.',
    example: { ...SEARCH, total: 42, took_ms: 18, top: [{ document_id: 'doc_8tWvR1', score: 0.93 }] },
  },
  {
    type: 'search.error',
    description: 'A search could not be answered.',
    example: { ...SEARCH, code: 'index_unavailable', message: 'contracts is being rebuilt', retriable: true },
  },
]

const ANALYSIS = { analysis_id: 'anl_77bDx2', kind: 'sentiment' } as const

/** Analyses that run in the background. */
export const ANALYSIS_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'analysis.started',
    description: 'An analysis began.',
    example: { ...ANALYSIS, documents: 120, requested_by: 'user_77' },
  },
  {
    type: 'analysis.completed',
    description: 'An analysis ended with a result.',
    example: { ...ANALYSIS, documents: 120, took_ms: 5_320, summary: { positive: 81, neutral: 30, negative: 9 } },
  },
  {
    type: 'analysis.error',
    description: 'An analysis ended without a result.',
    example: { ...ANALYSIS, code: 'unsupported_language', message: 'doc_8tWvR1 is in a language without a model' },
  },
]
