import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';

/** Work that is true only once a transaction has committed, such as a log line that tells of it. */
@Injectable()
export class AfterCommit implements EntitySubscriberInterface {
  readonly #waiting = new WeakMap<QueryRunner, (() => void)[]>();

  constructor(@InjectDataSource() dataSource: DataSource) {
    dataSource.subscribers.push(this);
  }

  /** Does `work` when the transaction of `manager` has committed, and never if it is rolled back; at once without one. */
  run(manager: EntityManager | undefined, work: () => void): void {
    const { queryRunner } = manager ?? {};
    if (!queryRunner?.isTransactionActive) return work();
    const others = this.#waiting.get(queryRunner);
    if (others) others.push(work);
    else this.#waiting.set(queryRunner, [work]);
  }

  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    // TypeORM calls this for a savepoint too, and the rest may still be rolled back.
    if (queryRunner.isTransactionActive) return;
    const all = this.#waiting.get(queryRunner) ?? [];
    this.#waiting.delete(queryRunner);
    for (const work of all) work();
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    if (!queryRunner.isTransactionActive) this.#waiting.delete(queryRunner);
  }
}
