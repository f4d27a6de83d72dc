import { PUBLISH_PATH, PUBLISH_SCHEMAS, SIGNED_PUBLISH_PATH, type OpenApiOptions } from '@posthorn/api'

/** Ingest's own part of the contract; the registry's document, which is the committed one, has it too. */
export const OPEN_API: OpenApiOptions = {
  title: 'Posthorn: publishing',
  description: 'The way in for events. The rest of the API is the registry’s.',
  tags: { publish: 'The way in.' },
  paths: { '/v1/publish': PUBLISH_PATH, '/v1/publish/{key}': SIGNED_PUBLISH_PATH },
  schemas: PUBLISH_SCHEMAS,
  pathParameters: {},
}
