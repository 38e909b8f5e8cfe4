import { Inject, Injectable } from '@nestjs/common';
import { RouteTable } from '../../auth/route-table.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { Secret } from '../../platform/crypto/secret.js';

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
