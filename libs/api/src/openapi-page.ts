import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { OpenAPIObject } from '@nestjs/swagger'

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Posthorn API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true })\n`
const JAVASCRIPT = 'text/javascript; charset=utf-8'

/** GET /openapi.json, and /docs as a page to read and try it. Neither needs a key: they say nothing of any tenant. */
export function serveOpenApi(app: NestFastifyApplication, document: OpenAPIObject): void {
  const fastify = app.getHttpAdapter().getInstance()
  const json = JSON.stringify(document)
  const give = (path: string, type: string, body: () => string | Promise<Buffer>) =>
    fastify.get(path, async (_request, reply) => reply.type(type).send(await body()))
  give('/openapi.json', 'application/json; charset=utf-8', () => json)
  give('/docs', 'text/html; charset=utf-8', () => PAGE)
  give('/docs/start.js', JAVASCRIPT, () => START)
  give('/docs/swagger-ui.css', 'text/css; charset=utf-8', () => asset('swagger-ui.css'))
  give('/docs/swagger-ui-bundle.js', JAVASCRIPT, () => asset('swagger-ui-bundle.js'))
}

/** Comes with @nestjs/swagger, and is found from there. */
function asset(name: string): Promise<Buffer> {
  const swagger = createRequire(import.meta.url).resolve('@nestjs/swagger')
  const folder = dirname(createRequire(swagger).resolve('swagger-ui-dist/package.json'))
  return readFile(join(folder, name))
}
