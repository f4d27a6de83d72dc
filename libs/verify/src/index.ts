export type { RequestHeaders } from './headers.js'
export {
  signHex,
  signHub,
  verifyHex,
  verifyHub,
  type BodyRequest,
  type OneHeaderOptions,
  type SignOneHeaderOptions,
} from './one-header.js'
export { checkSecrets } from './secret.js'
export { sign, type SignOptions } from './sign.js'
export { VerificationError, type VerificationCode } from './verification-error.js'
export { verify, type VerifiedRequest, type VerifyOptions } from './verify.js'
