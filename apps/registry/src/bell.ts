/** Wakes one sleeper; a ring while it is awake is kept for its next sleep. */
export class Bell {
  private rung = false
  private hear = () => {}

  ring(): void {
    this.rung = true
    this.hear()
  }

  /** Resolves when it is rung, at the latest after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.rung) {
      let timer: NodeJS.Timeout
      await new Promise<void>(resolve => {
        this.hear = resolve
        timer = setTimeout(resolve, ms)
      }).finally(() => clearTimeout(timer))
      this.hear = () => {}
    }
    this.rung = false
  }
}
