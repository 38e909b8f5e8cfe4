import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import type { Grant } from './token-grant.entity.js';
import type { TokenFormat } from './token-formats.js';

/** Of a sign-in, what a token says about it. */
export type TokenSignIn = Pick<SignIn, 'id' | 'userId' | 'amr' | 'authTime' | 'expiresAt'>;

export interface IssuedAccessToken {
  readonly text: string;
  readonly lifetimeSeconds: number;
}

/** A token that is valid now, with what stands behind it alive: what RFC 7662 tells about it. */
export interface ActiveToken {
  /** Whom it speaks for. */
  readonly subject: string;
  /** The members of the answer that are not the same for all (RFC 7662 2.2). */
  readonly members: Readonly<Record<string, unknown>>;
}

/** A token that we issued and nobody has revoked, whether or not what stands behind it looks alive. */
export interface RevocableToken {
  /** Whom it speaks for. */
  readonly subject: string;
  /** Its own id, or that of the sign-in that ends with it. */
  readonly credentialId: string;
  /** The key that it was exchanged for, which alone may revoke it. */
  readonly keyId?: string;
  revoke(): Promise<void>;
}

/** One kind of token: access tokens of some format, or refresh tokens. */
export interface TokenKind {
  readonly name: TokenFormat | 'refresh';
  /** Whether a text has its form, without any I/O. */
  recognises(text: string): boolean;
  find(text: string): Promise<ActiveToken | undefined>;
  /** Asks nothing about what stands behind it: a revocation must not depend on what looks alive at the moment. */
  findToRevoke(text: string): Promise<RevocableToken | undefined>;
  /** Only of access tokens. With a manager, within its transaction. */
  issue?(signIn: TokenSignIn, grant: Grant, manager?: EntityManager): Promise<IssuedAccessToken>;
}

/** The kinds of tokens that are there. Each registers itself when its module starts. */
@Injectable()
export class TokenKinds {
  readonly #kinds: TokenKind[] = [];

  register(kind: TokenKind): void {
    this.#kinds.push(kind);
  }

  /** What issues access tokens of this format. A stored grant may name one that is gone. */
  issuerOf(format: TokenFormat): NonNullable<TokenKind['issue']> {
    const kind = this.#kinds.find(({ name }) => name === format);
    if (!kind?.issue) throw new Error(`nothing issues access tokens of the format ${format}`);
    return kind.issue.bind(kind);
  }

  /** The token that a text is, if it is valid now. */
  async find(text: string): Promise<ActiveToken | undefined> {
    return this.#kindOf(text)?.find(text);
  }

  async findToRevoke(text: string): Promise<RevocableToken | undefined> {
    return this.#kindOf(text)?.findToRevoke(text);
  }

  #kindOf(text: string): TokenKind | undefined {
    return this.#kinds.find((kind) => kind.recognises(text));
  }
}
