import { IsIn, IsOptional } from 'class-validator'
import { SIGNATURES, type Problem, type Signature } from '@posthorn/webhook'
import { Documented, type FieldSchema } from './documented.js'
import { Faults } from './http-validation.js'
import { secretFaults } from './webhook-fields.js'

const TIME = { type: 'string', format: 'date-time' } as const
const OPTIONAL = { required: false, nullable: true } as const

/** How a webhook's secret is documented, wherever it is given or shown. */
export const SECRET_SCHEMA = {
  secret: {
    type: 'string',
    description:
      'whsec_ + base64 of 24 to 64 bytes, whsk_ + base64 of an Ed25519 private key, or 16 to 128 characters. Made here when it is absent.',
  },
  signature: {
    enum: [...SIGNATURES],
    description: 'What a secret that is made here signs by: v1 (HMAC-SHA256) or v1a (Ed25519, a key pair).',
  },
  shown: { type: 'string', description: 'What to verify with: of a key pair the public key, whpk_.' },
} as const satisfies Record<string, FieldSchema>

export const ONE_SIGNATURE = { message: `must be one of ${SIGNATURES.join(', ')}` }

/** A secret without its value. */
export class SecretView {
  @Documented() readonly id: string
  @Documented({ enum: [...SIGNATURES] }) readonly signature: Signature
  @Documented(TIME) readonly created_at: string
  @Documented({ ...TIME, nullable: true, description: 'Until then it signs beside the newer one.' })
  readonly expires_at: string | null
}

/** A secret with what verifies its signatures: the answer to a rotation and to a reveal. */
export class RevealedSecretView extends SecretView {
  @Documented(SECRET_SCHEMA.shown) readonly secret: string
}

export const MAX_OVERLAP_S = 30 * 24 * 3600
export const DEFAULT_OVERLAP_S = 24 * 3600

/** POST /v1/webhooks/{id}/secrets/rotate */
export class RotateSecretBody {
  static readonly example = { overlap_seconds: 3600 }

  @IsOptional()
  @Faults(secretFaults, { ...SECRET_SCHEMA.secret, ...OPTIONAL })
  secret?: string | null

  /** Of a secret that is made here; unless given, that of the newest one. */
  @Documented({ ...SECRET_SCHEMA.signature, ...OPTIONAL })
  @IsOptional()
  @IsIn(SIGNATURES, ONE_SIGNATURE)
  signature?: Signature | null

  /** How long the secrets before it sign too. */
  @IsOptional()
  @Faults(overlapFaults, {
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_S,
    default: DEFAULT_OVERLAP_S,
    ...OPTIONAL,
    description: 'How long the secrets before it sign too.',
  })
  overlap_seconds?: number | null
}

function overlapFaults(seconds: unknown): Problem[] {
  return Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= MAX_OVERLAP_S
    ? []
    : [{ pointer: '', message: `must be a whole number from 0 to ${MAX_OVERLAP_S}` }]
}
