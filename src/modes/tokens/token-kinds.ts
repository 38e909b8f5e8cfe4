import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import type { Grant } from './token-grant.entity.js';
import type { TokenFormat } from './token-formats.js';

/** The fields of a sign-in that an access token is made from. */
export type TokenSignIn = Pick<SignIn, 'id' | 'userId' | 'amr' | 'authTime' | 'secondFactorAt' | 'expiresAt'>;

export interface IssuedAccessToken {
  readonly text: string;
  readonly lifetimeSeconds: number;
}

/** A valid token whose sign-in or key is alive, for introspection (RFC 7662). */
export interface ActiveToken {
  /** The id of the user or service account. */
  readonly subject: string;
  /** The members of the answer that differ between tokens (RFC 7662 section 2.2). */
  readonly members: Readonly<Record<string, unknown>>;
}

/** A token of this server that is not revoked. Its sign-in or key can have ended. */
export interface RevocableToken {
  /** The id of the user or service account. */
  readonly subject: string;
  /** The id of the token, or of the sign-in that ends with it. */
  readonly credentialId: string;
  /** The key that the token was exchanged for. Only this key can revoke it. */
  readonly keyId?: string;
  /** In the transaction of the event that records it. */
  revoke(manager: EntityManager): Promise<void>;
}

/** One kind of token: access tokens of some format, or refresh tokens. */
export interface TokenKind {
  readonly name: TokenFormat | 'refresh';
  /** Returns whether a text has the form of this kind, without I/O. */
  recognises(text: string): boolean;
  find(text: string): Promise<ActiveToken | undefined>;
  /** Does not check the sign-in or key behind the token: a revocation must not depend on its state. */
  findToRevoke(text: string): Promise<RevocableToken | undefined>;
  /** For access tokens only. With a manager, in its transaction. */
  issue?(signIn: TokenSignIn, grant: Grant, manager?: EntityManager): Promise<IssuedAccessToken>;
}

/** The registered kinds of tokens. Each room registers its own when its module starts. */
@Injectable()
export class TokenKinds {
  readonly #kinds: TokenKind[] = [];

  register(kind: TokenKind): void {
    this.#kinds.push(kind);
  }

  /** Returns the issuer of a format. A stored grant can have a format whose room was removed. */
  issuerOf(format: TokenFormat): NonNullable<TokenKind['issue']> {
    const kind = this.#kinds.find(({ name }) => name === format);
    if (!kind?.issue) throw new Error(`no room issues access tokens of the format ${format}`);
    return kind.issue.bind(kind);
  }

  /** Finds the token of a text if it is valid. */
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
