import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common'
import { ApiError, Authentication, credentialsOf, mediaType, Needs, Open, readBody, TenantName } from '@posthorn/api'
import type { FastifyRequest } from 'fastify'
import { Keys } from './keys.js'
import { DEFAULT_SOURCE, modeOf, type Mode } from './publication.js'
import { publish, type PublishAnswer, type PublishParts } from './publish.js'
import { Signatures } from './signatures.js'
import { Tenants } from './tenants.js'

export const PUBLISH_PARTS = Symbol('PublishParts')

/** The HTTP way in. What the headers alone can refuse is refused before the body is read. */
@Controller('v1')
export class PublishEdge {
  constructor(
    private readonly tenants: Tenants,
    @Inject(PUBLISH_PARTS) private readonly parts: PublishParts,
  ) {}

  @Post('publish')
  @HttpCode(202)
  @Needs('publish')
  async publish(@TenantName() tenant: string, @Req() request: FastifyRequest): Promise<PublishAnswer> {
    this.tenants.require(tenant)
    const { headers } = request
    const mode = modeOf(headers, mediaType(request))
    const body = await readBody(request)
    return publish({ tenant, mode, headers, body }, this.parts)
  }
}

/** Of a signed request: one whose attributes stand in headers is none, because nobody signed those. */
function signedModeOf(request: FastifyRequest): Mode {
  const mode = modeOf(request.headers, mediaType(request))
  if (mode !== 'binary') return mode
  throw new ApiError(
    'media_type_unsupported',
    'Attributes in ce- headers are not signed: send the event whole, as JSON or as application/cloudevents+json.',
  )
}

/** The same for who signs instead of sending a key: any sender of Standard Webhooks. The path names the key. */
@Controller('v1')
export class SignedPublishEdge {
  constructor(
    private readonly tenants: Tenants,
    private readonly keys: Keys,
    private readonly authentication: Authentication,
    private readonly signatures: Signatures,
    @Inject(PUBLISH_PARTS) private readonly parts: PublishParts,
  ) {}

  /** Open to the guard, which knows no signatures: they are checked here, over the body. */
  @Post('publish/:key')
  @HttpCode(202)
  @Open()
  async publish(@Param('key') id: string, @Req() request: FastifyRequest): Promise<PublishAnswer> {
    const { headers } = request
    this.signatures.requireHeaders(headers)
    const mode = signedModeOf(request)
    let signed: { readonly body: Buffer; readonly messageId: string } | undefined
    const { tenant } = await this.authentication.signer(id, credentialsOf(request), {
      find: key => this.keys.findSigning(key),
      check: async key => {
        const body = await readBody(request)
        signed = { body, messageId: this.signatures.check(key, headers, body) }
      },
    })
    this.tenants.require(tenant)
    const { body, messageId } = signed!
    const sender = { source: `${DEFAULT_SOURCE}/${id}`, messageId }
    return publish({ tenant, mode, headers, body, sender }, this.parts)
  }
}
