const MAX_SUBJECTS = 10_000;

/** Short, because an attempt that is given back can end the block. */
const REMEMBERED_MS = 1_000;

interface Block {
  readonly until: Date;
  readonly askAgainAt: Date;
}

/** The subjects that this node knows to be blocked, so that a flood of refused attempts makes few queries. */
export class BlockedSubjects {
  readonly #blocks = new Map<string, Block>();

  until(subject: Buffer, now: Date): Date | undefined {
    const block = this.#blocks.get(subject.toString('base64'));
    return block && block.askAgainAt > now && block.until > now ? block.until : undefined;
  }

  add(subject: Buffer, until: Date, now: Date): void {
    const key = subject.toString('base64');
    // Moves the subject to the end: the one that was added first leaves.
    this.#blocks.delete(key);
    this.#blocks.set(key, { until, askAgainAt: new Date(now.getTime() + REMEMBERED_MS) });
    if (this.#blocks.size > MAX_SUBJECTS) this.#blocks.delete(this.#blocks.keys().next().value!);
  }
}
