import type { Account } from './account.js';
import type { Answer, Call, Client } from './client.js';

/** A line of a request as it travels. */
export interface HeaderLine {
  readonly name: string;
  readonly value: string;
  /** How many characters the value has, if the page cannot read it. */
  readonly length?: number;
  /** If not every request has the line: which ones do. */
  readonly when?: string;
}

/** Something to know about a credential. An object is shown as JSON. */
export type Fact = readonly [label: string, value: string | object];

export interface Credential {
  /** When the page got it. */
  readonly since: number;
  readonly lines: () => readonly HeaderLine[];
  readonly facts: () => readonly Fact[];
  /** When it expires, if the page can know. */
  readonly expiresAt?: Date;
  send<Body>(call: Call): Promise<Answer<Body>>;
  /** Revokes it, by another credential of its owner if there is one, because a session that ends itself also clears its cookie. */
  end(by?: Credential): Promise<Answer>;
  /** Takes the new secrets of the same sign-in. */
  adopt?(renewed: object): void;
}

/** A lane gets its credential with these. */
export interface Desk {
  readonly api: Client;
  readonly account: Account;
  /** The credential of a person that is recent enough to make keys and factors. */
  acting(): Promise<Credential>;
}

/** One kind of credential. */
export interface Lane {
  readonly id: string;
  /** Whether it carries a person. */
  readonly person: boolean;
  /** Whether a request without a credential of the page can carry one all the same, as a cookie does. */
  readonly cookies: boolean;
  get(desk: Desk): Promise<Credential>;
}

// room: tokens
/** The token response (RFC 6749 section 5.1). */
export interface TokenResponse {
  readonly access_token: string;
  readonly expires_in: number;
}
// /room

const LINE_END = 2;
const SEPARATOR = 2;

/** The bytes of a line in HTTP/1.1: `name: value` and the end of the line. All of it is ASCII. */
export const bytesOf = ({ name, value, length = value.length }: HeaderLine): number =>
  name.length + SEPARATOR + length + LINE_END;
