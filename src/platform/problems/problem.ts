/** A kind of error, as RFC 9457 has it: `type` is `/problems/<slug>`, a page that explains it. */
export interface ProblemKind {
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  /** What happened and what to do about it, for the person who reads the page. */
  readonly about: string;
}

const catalogue = new Map<string, ProblemKind>();

/** Declares a kind of error, beside the code that throws it. @throws if the slug is taken */
export function defineProblem(kind: ProblemKind): ProblemKind {
  if (catalogue.has(kind.slug)) throw new Error(`the problem "${kind.slug}" is declared twice`);
  catalogue.set(kind.slug, kind);
  return kind;
}

/** All kinds declared by the rooms that are there, by slug. */
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
  /** For the log only: why precisely. Outside, several reasons are one answer. */
  readonly reason?: string;
}

/** Base of all errors that a client gets to see. `detail` goes into the answer: no secret, no hint on what exists. */
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
