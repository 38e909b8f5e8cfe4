/** A problem type (RFC 9457). Its `type` is `/problems/<slug>`, the page that explains it. */
export interface ProblemKind {
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  /** The cause and the fix, for the page. */
  readonly about: string;
}

const catalogue = new Map<string, ProblemKind>();

/** Declares a problem type, beside the code that throws it. @throws if the slug is already declared */
export function defineProblem(kind: ProblemKind): ProblemKind {
  if (catalogue.has(kind.slug)) throw new Error(`the problem "${kind.slug}" is declared twice`);
  catalogue.set(kind.slug, kind);
  return kind;
}

/** All declared kinds, sorted by slug. */
export function allProblems(): ProblemKind[] {
  return [...catalogue.values()].toSorted((a, b) => a.slug.localeCompare(b.slug));
}

export function findProblem(slug: string): ProblemKind | undefined {
  return catalogue.get(slug);
}

export interface ProblemFacts {
  /** Headers of the answer, such as WWW-Authenticate. */
  readonly headers?: Record<string, string | string[]>;
  /** Extension members of the body. */
  readonly extensions?: Record<string, unknown>;
  /** The precise reason, for the log only. */
  readonly reason?: string;
}

/** Base class of all errors that clients see. `detail` must not contain a secret, or reveal what exists. */
export abstract class ProblemError extends Error {
  readonly headers: Record<string, string | string[]>;
  readonly extensions: Record<string, unknown>;
  readonly reason: string | undefined;

  constructor(
    readonly kind: ProblemKind,
    readonly detail: string,
    facts: ProblemFacts = {},
  ) {
    super(`${kind.slug}: ${facts.reason ?? detail}`);
    this.name = new.target.name;
    this.headers = facts.headers ?? {};
    this.extensions = facts.extensions ?? {};
    this.reason = facts.reason;
  }
}
