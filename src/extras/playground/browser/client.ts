/** A client of the API for browsers. It knows nothing of the page, and keeps nothing. */

/** RFC 9457 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

export interface Call {
  readonly method?: string;
  /** Relative to the root of the API. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** Whether the browser sends its cookies, and keeps those of the answer. */
  readonly cookies?: boolean;
}

export interface Answer<Body = unknown> {
  readonly status: number;
  readonly body: Body;
  readonly problem: Problem | undefined;
  /** The challenges of a 401. */
  readonly challenge: string | undefined;
  /** From the call to the answer, as the browser sees it. */
  readonly ms: number;
  /** Statements that the server sent to its database. Production does not tell. */
  readonly queries: number | undefined;
}

/** A refusal that the caller did not expect. */
export class RefusedError extends Error {
  constructor(readonly answer: Answer) {
    super(answer.problem?.detail ?? `The server answered ${answer.status}.`);
    this.name = 'RefusedError';
  }
}

export class Client {
  /** @param root ends with a slash */
  constructor(readonly root: string) {}

  /** Returns any answer, also a refusal. @throws TypeError if the server cannot be reached */
  async send<Body = unknown>({
    method = 'GET',
    path,
    headers,
    json,
    form,
    cookies = false,
  }: Call): Promise<Answer<Body>> {
    const started = performance.now();
    const response = await fetch(new URL(path, this.root), {
      method,
      headers: { ...headers, ...(json === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json),
      credentials: cookies ? 'same-origin' : 'omit',
      cache: 'no-store',
    } as RequestInit);
    const text = await response.text();
    const ms = performance.now() - started;
    const type = response.headers.get('Content-Type') ?? '';
    const body: unknown = type.includes('json') && text ? JSON.parse(text) : text;
    return {
      status: response.status,
      body: body as Body,
      problem: type.startsWith('application/problem+json') ? (body as Problem) : undefined,
      challenge: response.headers.get('WWW-Authenticate') ?? undefined,
      ms,
      queries: queriesIn(response.headers.get('Server-Timing')),
    };
  }

  /** @throws RefusedError for any refusal */
  async demand<Body = unknown>(call: Call): Promise<Answer<Body>> {
    return accepted(await this.send<Body>(call));
  }
}

/** @throws RefusedError */
export function accepted<Body>(answer: Answer<Body>): Answer<Body> {
  if (answer.status >= 400) throw new RefusedError(answer);
  return answer;
}

function queriesIn(timing: string | null): number | undefined {
  const found = /queries;desc="(\d+)"/.exec(timing ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}
