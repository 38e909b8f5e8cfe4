import { describe, expect, it } from '@jest/globals';
import { AfterCommit } from '../../../src/platform/database/after-commit.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';

describe('work after a commit', () => {
  const context = useStarted(() => InProcessServer.start());
  const during = async (end: (done: string[]) => Promise<void>) => {
    const done: string[] = [];
    const { app } = context.server;
    const dataSource = context.server.dataSource;
    await dataSource
      .transaction(async (manager) => {
        await manager.query('SELECT 1');
        app.get(AfterCommit, { strict: false }).run(manager, () => done.push('work'));
        await manager.transaction(async () => undefined);
        expect(done).toEqual([]);
        await end(done);
      })
      .catch(() => undefined);
    return done;
  };

  it('is done once, when the outermost transaction has committed', async () => {
    expect(await during(async () => undefined)).toEqual(['work']);
    await context.server.dataSource.transaction((manager) => manager.query('SELECT 1'));
  });

  it('is never done if the transaction is rolled back, nor with the next one of its connection', async () => {
    const done = await during(() => Promise.reject(new Error('rolled back')));
    for (let i = 0; i < 20; i += 1)
      await context.server.dataSource.transaction((manager) => manager.query('SELECT 1'));
    expect(done).toEqual([]);
  });

  it('is done at once outside of a transaction', () => {
    const done: string[] = [];
    const { app } = context.server;
    const dataSource = context.server.dataSource;
    app.get(AfterCommit, { strict: false }).run(dataSource.manager, () => done.push('work'));
    expect(done).toEqual(['work']);
  });
});
