import type { SecretKeeper } from './secret-keeper.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON body, or the text of another one; undefined for none. */
  readonly body: any;
  /** The slug of a problem. */
  readonly problem: string | undefined;
  /** Every WWW-Authenticate challenge. */
  readonly challenges: string | null;
  /** Cookies that the answer sets, by name; `''` for one that it clears. */
  readonly cookies: Record<string, string>;
  /** Their names. `[]` says that there is none, where `cookies: {}` would match any. */
  readonly cookieNames: string[];
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

export const FORM = 'application/x-www-form-urlencoded';

/** Calls the server with one credential, or none. */
export class Client {
  constructor(
    readonly url: string,
    readonly secrets: SecretKeeper,
    readonly headers: Record<string, string> = {},
  ) {}

  /** The same client with other headers besides. */
  with(headers: Record<string, string>): Client {
    return new Client(this.url, this.secrets, { ...this.headers, ...headers });
  }

  async call(method: string, path: string, { body, headers = {} }: CallOptions = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...this.headers,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answer = await read(response);
    this.secrets.keepAllOf(
      headers['Content-Type'] === FORM ? Object.fromEntries(new URLSearchParams(String(body))) : body,
    );
    this.secrets.keepAllOf(answer.body);
    for (const value of Object.values(answer.cookies)) this.secrets.keep(value);
    return answer;
  }

  get(path: string, options?: CallOptions): Promise<Answer> {
    return this.call('GET', path, options);
  }

  /** A POST with `body`, which may be left out. */
  post(path: string, body?: unknown, options?: CallOptions): Promise<Answer> {
    return this.call('POST', path, { body, ...options });
  }

  put(path: string, body?: unknown, options?: CallOptions): Promise<Answer> {
    return this.call('PUT', path, { body, ...options });
  }

  patch(path: string, body?: unknown, options?: CallOptions): Promise<Answer> {
    return this.call('PATCH', path, { body, ...options });
  }

  delete(path: string, options?: CallOptions): Promise<Answer> {
    return this.call('DELETE', path, options);
  }
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const cookies = Object.fromEntries(
    response.headers.getSetCookie().map((line) => {
      const [pair] = line.split(';');
      const at = pair!.indexOf('=');
      return [pair!.slice(0, at), pair!.slice(at + 1)];
    }),
  );
  const body = type.includes('json') && text !== '' ? JSON.parse(text) : text === '' ? undefined : text;
  return {
    status: response.status,
    headers: response.headers,
    body,
    problem: type.startsWith('application/problem+json')
      ? String(body?.type).split('/problems/').at(-1)
      : undefined,
    challenges: response.headers.get('www-authenticate'),
    cookies,
    cookieNames: Object.keys(cookies),
  };
}
