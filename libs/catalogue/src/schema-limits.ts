/**
 * What one schema may be. Schemas come from customers and are compiled by ajv to JavaScript that runs
 * in every router and ingest: each of these bounds the time or the memory that one of them can take.
 */
export const SCHEMA_LIMITS = {
  /** Bytes of its JSON. GitHub's largest event, with all that it refers to, has 42 KiB. */
  bytes: 256 * 1024,
  /** Levels of objects and arrays: bounds the recursion of whoever walks it. */
  depth: 64,
  /** Schemas inside it: compiling takes 0.1 ms for each, during which a router does nothing else. GitHub needs 622. */
  subschemas: 2000,
  /** Entries of one enum. */
  enumEntries: 1000,
  /** Characters of one regular expression, and the size of the program it compiles to. */
  patternLength: 512,
  patternProgram: 2000,
  patterns: 100,
} as const

/** What checking one event may take. */
export const CHECK_LIMITS = {
  /**
   * Schemas applied, each as often as it is applied; one step takes 20 to 200 ns. GitHub's payloads need up to 10
   * for each byte, the largest event of all, an array of 460,000 numbers, 1 for each two. A schema that branches
   * at every level would need 2^depth of them, and a request may bring 1,000 small events.
   */
  steps: 1_000_000,
  stepsAtLeast: 20_000,
  stepsPerByte: 20,
  /** Most of them for finding all faults of an event that has one: each makes an object. */
  stepsForAllFaults: 200_000,
  /** Faults that are told. */
  faults: 20,
  /** Characters of a text that is held against a format: their expressions are not all linear. */
  formatLength: 2048,
} as const
