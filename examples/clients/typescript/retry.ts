/** Repeats requests. For Node and browsers, without dependencies. */
const ATTEMPTS = 4;
/** If the server asks for a longer wait, the caller gets the answer and decides. */
const LONGEST_WAIT_MS = 30_000;
/** Parallel clients must not all come back at the same moment. */
const JITTER_MS = 1_000;
/** Three attempts then start within REFRESH_REUSE_GRACE, which is 10 s by default. */
const TIMEOUT_MS = 3_000;

/** A 503 can arrive after the server has executed a request. Only these methods do the same twice (RFC 9110 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export const isIdempotent = (method = 'GET'): boolean => IDEMPOTENT.has(method.toUpperCase());

/**
 * Sends a request again after 429, and after 503 if it is repeatable, as Retry-After says. The last answer is returned,
 * whatever it is.
 */
export async function withRetry(
  send: () => Promise<Response>,
  repeatable: boolean,
  signal?: AbortSignal | null,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await send();
    const refused = response.status === 429 || (response.status === 503 && repeatable);
    const wait = waitOf(response.headers.get('Retry-After'), attempt);
    if (!refused || attempt === ATTEMPTS || wait > LONGEST_WAIT_MS) return response;
    await response.body?.cancel();
    await pause(wait + Math.random() * JITTER_MS, signal);
  }
}

/** Retry-After has seconds or a date (RFC 9110 10.2.3). Without it, each wait is twice as long as the one before. */
function waitOf(retryAfter: string | null, attempt: number): number {
  const text = retryAfter?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? 500 * 2 ** attempt : Math.max(0, date - Date.now());
}

/** Repeats an attempt whose answer was lost. Use it only where a second execution does no harm. */
export async function untilAnswered<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let left = 2; ; left--) {
    try {
      return await attempt(AbortSignal.timeout(TIMEOUT_MS));
    } catch (error) {
      if (left === 0) throw error;
      await pause(250 + Math.random() * 250);
    }
  }
}

function pause(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
