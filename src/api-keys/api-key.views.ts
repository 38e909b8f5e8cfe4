import { Injectable } from '@nestjs/common';
import { toPage } from '../pagination/page.js';
import type { ApiKey } from './api-key.entity.js';
import { ApiKeyWarnings } from './api-key.warnings.js';
import { showApiKey } from './api-keys.schemas.js';
import type { IssuedKey } from './api-keys.service.js';

/** Keys as their owner sees them, with the warnings about them. */
@Injectable()
export class ApiKeyViews {
  constructor(private readonly warnings: ApiKeyWarnings) {}

  async one(key: ApiKey) {
    return (await this.#shower([key]))(key);
  }

  /** @param keys up to `limit + 1` of them */
  async page(keys: ApiKey[], limit: number) {
    return toPage(keys, limit, await this.#shower(keys));
  }

  /** With the key, in the answer that makes it. */
  async issued({ row, key }: IssuedKey) {
    return { ...(await this.one(row)), key: key.reveal() };
  }

  async #shower(keys: readonly ApiKey[]) {
    const warnings = await this.warnings.of(keys.map(({ id }) => id));
    return (key: ApiKey) => showApiKey(key, warnings.get(key.id) ?? []);
  }
}
