import { setTimeout } from 'node:timers/promises';

/** Longer than the work behind such an answer takes. */
export const ANSWER_AFTER_MS = 250;

/**
 * Does work whose duration would tell what exists, and settles no earlier than ANSWER_AFTER_MS after it began
 * (ASVS 6.3.8).
 */
export async function inFixedTime<T>(work: () => Promise<T>): Promise<T> {
  const answerAt = setTimeout(ANSWER_AFTER_MS);
  try {
    return await work();
  } finally {
    await answerAt;
  }
}
