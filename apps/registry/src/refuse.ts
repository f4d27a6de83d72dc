import { ApiError } from '@posthorn/api'
import type { Problem } from '@posthorn/webhook'

/** Throws ApiError request_invalid where the field at `pointer` has faults. */
export function refuse(pointer: string, faults: readonly Problem[]): void {
  const problems = faults.map(fault => ({ ...fault, pointer: pointer + fault.pointer }))
  if (problems.length > 0) throw new ApiError('request_invalid', `${pointer} ${problems[0]!.message}.`, problems)
}
