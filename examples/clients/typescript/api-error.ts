/** The body of an error (RFC 9457). It can have further members, such as `mfaToken`. */
interface Problem {
  readonly type?: string;
  readonly detail?: string;
  readonly [member: string]: unknown;
}

/** An answer with an error. */
export class ApiError extends Error {
  private constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(`${status} ${problem.detail ?? ''}`.trim());
  }

  static async of(response: Response): Promise<ApiError> {
    const body: unknown = await response.json().catch(() => undefined);
    return new ApiError(response.status, { ...(body as object | undefined) });
  }
}

/** The sign-in has ended, or another one has replaced it. The person must sign in again. */
export class SignedOutError extends Error {
  constructor() {
    super('signed out');
  }
}

/** A path of the API as a URL. It throws for a full URL, because the credential must not go to another host. */
export function urlOf(base: string, path: string): string {
  if (!path.startsWith('/')) throw new TypeError('the path must begin with /');
  return new URL(base).href.replace(/\/$/, '') + path;
}
