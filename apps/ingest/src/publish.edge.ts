import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common'
import { mediaType, Needs, readBody, TenantName } from '@posthorn/api'
import type { FastifyRequest } from 'fastify'
import { modeOf } from './publication.js'
import { publish, type PublishAnswer, type PublishParts } from './publish.js'
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
