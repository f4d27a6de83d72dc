const TURN_MS = 50
const ATTEMPTS = 3

/**
 * For promises that only a machine keeps that runs, such as that a member keeps its session: a scenario that failed
 * while this process got no turn for `stillMs` begins anew, with names of its own. Any other failure is one.
 */
export async function undisturbed(scenario: () => Promise<void>, stillMs = 1500): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const turns = watchTurns()
    try {
      return await scenario()
    } catch (error) {
      if (attempt === ATTEMPTS || turns.longestMs() < stillMs) throw error
    } finally {
      turns.end()
    }
  }
}

function watchTurns(): { longestMs(): number; end(): void } {
  let last = performance.now()
  let longest = 0
  const longestMs = () => (longest = Math.max(longest, performance.now() - last))
  const timer = setInterval(() => {
    longestMs()
    last = performance.now()
  }, TURN_MS)
  return { longestMs, end: () => clearInterval(timer) }
}
