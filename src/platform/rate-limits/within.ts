/** Rejects if `work` does not settle within `ms`. The work itself goes on. */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const patience = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new NoAnswerError(ms));
    // If this process was blocked, the answer is waiting, and is read first.
    timer = setTimeout(() => setImmediate(giveUp), ms);
  });
  return Promise.race([work, patience]).finally(() => clearTimeout(timer));
}

export class NoAnswerError extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
  }
}
