import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PrincipalKind } from '../auth/principal.js';
import type { IssuedAccessToken, TokenSignIn } from './access-token.issuer.js';
import type { Grant, TokenFormat } from './token-grant.entity.js';

/** A token that is valid now, with what stands behind it alive: what RFC 7662 tells about it, and how to end it. */
export interface ActiveToken {
  /** Whom it speaks for. */
  readonly subject: string;
  /** `first-party`, or the id of the key that it was exchanged for. */
  readonly clientId: string;
  readonly kind: PrincipalKind;
  /** A refresh token that was used. It is not active any more, but whoever holds it may end what it belongs to. */
  readonly used?: boolean;
  /** The members of the answer that are not the same for all (RFC 7662 2.2). */
  readonly members: Readonly<Record<string, unknown>>;
  revoke(): Promise<void>;
}

/** One kind of token: access tokens of some format, or refresh tokens. */
export interface TokenKind {
  readonly name: TokenFormat | 'refresh';
  /** Whether a text has its form, without any I/O. */
  recognises(text: string): boolean;
  find(text: string): Promise<ActiveToken | undefined>;
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

  /** What issues access tokens of this format, if it is there. */
  issuerOf(format: TokenFormat): NonNullable<TokenKind['issue']> | undefined {
    const kind = this.#kinds.find(({ name }) => name === format);
    return kind?.issue?.bind(kind);
  }

  /** The token that a text is, if it is valid now. */
  async find(text: string): Promise<ActiveToken | undefined> {
    return this.#kinds.find((kind) => kind.recognises(text))?.find(text);
  }
}
