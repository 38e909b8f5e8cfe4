const SILENCE_MS = 500;

/** Prints a notice on standard error if the work takes longer than half a second. */
export async function withNotice<T>(text: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => console.error(text), SILENCE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
