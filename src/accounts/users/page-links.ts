import { Inject, Injectable } from '@nestjs/common';
import { RouteTable } from '../../auth/route-table.js';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { isRandomSecret, type Secret } from '../../platform/crypto/secret.js';

type PageController = abstract new (...args: never[]) => { page(): Buffer };

/** Links in mails, to pages that send a one-time token. */
@Injectable()
export class PageLinks {
  constructor(
    private readonly routes: RouteTable,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The token is in the fragment, which browsers do not send. So it reaches no server log. */
  to(page: PageController, token: Secret): string {
    return `${this.config.ISSUER}${this.routes.pathOf(page, 'page')}#${token.reveal()}`;
  }
}

/** A link, or its token. */
const tokenIn = (text: string): string => /^https?:\/\/[^\s#]+#(.*)$/.exec(text)?.[1] ?? text;

defineCredentialKind({
  name: 'link in a mail, or its token',
  recognises: (text) => isRandomSecret(tokenIn(text)),
  examine: (text) => ({
    faults: [],
    facts: tokenIn(text) === text ? [] : [['token', `${tokenIn(text).length} characters, after the #`]],
    unchecked: 'whether the server knows it, and whether it was used or has expired',
  }),
});
