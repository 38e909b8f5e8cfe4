import { Injectable } from '@nestjs/common';

/** What there is to say about each of these keys, by its id; nothing of one that is left out. */
export type WarningSource = (keyIds: readonly string[]) => Promise<ReadonlyMap<string, string[]>>;

/** What the owner of a key should look at. Whoever watches keys registers itself: this room only shows. */
@Injectable()
export class ApiKeyWarnings {
  #source: WarningSource = async () => new Map();

  register(source: WarningSource): void {
    this.#source = source;
  }

  of(keyIds: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
    return this.#source(keyIds);
  }
}
