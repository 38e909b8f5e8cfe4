import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';

/** Runs work after a transaction has committed, such as writing its log entry. */
@Injectable()
export class AfterCommit implements EntitySubscriberInterface {
  readonly #waiting = new WeakMap<QueryRunner, (() => void)[]>();

  constructor(@InjectDataSource() dataSource: DataSource) {
    dataSource.subscribers.push(this);
  }

  /** Runs `work` after the commit, or at once if there is no transaction. After a rollback it never runs. */
  run(manager: EntityManager | undefined, work: () => void): void {
    const { queryRunner } = manager ?? {};
    if (!queryRunner?.isTransactionActive) return work();
    const others = this.#waiting.get(queryRunner);
    if (others) others.push(work);
    else this.#waiting.set(queryRunner, [work]);
  }

  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    // TypeORM also calls this for a savepoint, and the transaction can still be rolled back.
    if (queryRunner.isTransactionActive) return;
    const all = this.#waiting.get(queryRunner) ?? [];
    this.#waiting.delete(queryRunner);
    for (const work of all) work();
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    if (!queryRunner.isTransactionActive) this.#waiting.delete(queryRunner);
  }
}
