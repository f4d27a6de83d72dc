export type { HeaderPrefix, RequestHeaders } from './headers.js'
export { sign, type SignOptions } from './sign.js'
export { VerificationError, type VerificationCode } from './verification-error.js'
export { verify, type VerifiedRequest, type VerifyOptions } from './verify.js'
