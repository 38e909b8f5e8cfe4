import { Injectable, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AfterCommit } from '../../../src/platform/database/after-commit.js';
import type { Fixture } from '../../support/in-process.js';

/** Does work after transactions, and reports what was done when. */
@Injectable()
export class Work {
  #done = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly afterCommit: AfterCommit,
  ) {}

  /** Returns how often the work was done inside of the transaction. */
  async during(end: 'commit' | 'rollback'): Promise<{ inside: number }> {
    this.#done = 0;
    let inside = 0;
    await this.dataSource
      .transaction(async (manager) => {
        await manager.query('SELECT 1');
        this.afterCommit.run(manager, () => (this.#done += 1));
        await manager.transaction(async () => undefined);
        inside = this.#done;
        if (end === 'rollback') throw new Error('rolled back');
      })
      .catch(() => undefined);
    return { inside };
  }

  outside(): number {
    this.#done = 0;
    this.afterCommit.run(this.dataSource.manager, () => (this.#done += 1));
    return this.#done;
  }

  /** Runs other transactions. Returns how often the work was done by then. */
  async afterOthers(count: number): Promise<number> {
    for (let i = 0; i < count; i += 1)
      await this.dataSource.transaction((manager) => manager.query('SELECT 1'));
    return this.#done;
  }
}

@Module({ providers: [Work] })
class WorkModule {}

export const work: Fixture = { modules: [WorkModule] };
