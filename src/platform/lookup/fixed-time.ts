import { setTimeout } from 'node:timers/promises';

/** Longer than the work takes. */
export const ANSWER_AFTER_MS = 250;

/**
 * Runs work whose duration would reveal whether an account exists. Settles after at least ANSWER_AFTER_MS (ASVS 6.3.8).
 */
export async function inFixedTime<T>(work: () => Promise<T>): Promise<T> {
  const answerAt = setTimeout(ANSWER_AFTER_MS);
  try {
    return await work();
  } finally {
    await answerAt;
  }
}
