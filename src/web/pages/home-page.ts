import { Injectable } from '@nestjs/common';

/** The page at `/`. An optional room can set it. Without one, `/` redirects to the API reference. */
@Injectable()
export class HomePage {
  #page: (() => Buffer) | undefined;

  /** @throws if another room has set it */
  set(page: () => Buffer): void {
    if (this.#page) throw new Error('another room has set the page at /');
    this.#page = page;
  }

  get body(): Buffer | undefined {
    return this.#page?.();
  }
}
