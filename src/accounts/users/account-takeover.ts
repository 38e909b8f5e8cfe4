import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

type End = (manager: EntityManager, userId: string) => Promise<void>;
type List = (manager: EntityManager, userId: string) => Promise<string[]>;

/**
 * Runs when the owner of an address takes over an account from a person who never confirmed the address. Sign-ins always
 * end. A room that stores another way into an account (keys, second factors) registers a function that ends it.
 */
@Injectable()
export class AccountTakeover {
  readonly #ways: { readonly end: End; readonly list: List | undefined }[] = [];

  /**
   * @param list names each in one line of a mail. For keys: after a reset of the password they still work, unless the
   * person asks to end them
   */
  register(end: End, list?: List): void {
    this.#ways.push({ end, list });
  }

  /** In the transaction of `manager`, which holds the row of the user. */
  async end(manager: EntityManager, userId: string): Promise<void> {
    for (const { end } of this.#ways) await end(manager, userId);
  }

  /** Ends only what `list` names. In the same transaction as `end`. */
  async endListed(manager: EntityManager, userId: string): Promise<void> {
    for (const { end, list } of this.#ways) if (list) await end(manager, userId);
  }

  async list(manager: EntityManager, userId: string): Promise<string[]> {
    const lists: string[][] = [];
    for (const { list } of this.#ways) if (list) lists.push(await list(manager, userId));
    return lists.flat();
  }
}
