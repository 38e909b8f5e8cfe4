import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

type End = (manager: EntityManager, userId: string) => Promise<void>;

/**
 * What ends when the owner of an address takes an account over from somebody who never confirmed it. Sign-ins always end.
 * A room that stores other ways into an account (keys, second factors) registers how they end.
 */
@Injectable()
export class AccountTakeover {
  readonly #ends: End[] = [];

  register(end: End): void {
    this.#ends.push(end);
  }

  /** In the transaction of `manager`, which holds the row of the user. */
  async end(manager: EntityManager, userId: string): Promise<void> {
    for (const end of this.#ends) await end(manager, userId);
  }
}
