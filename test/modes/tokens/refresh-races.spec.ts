import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../../support/client.js';
import { jwtOf, TokenClient } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { TestServer, useServer } from '../../support/server.js';

const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));
const statuses = (answers: Answer[]): number[] => [...new Set(answers.map(({ status }) => status))];
const successors = (answers: Answer[]): unknown[] => [
  ...new Set(answers.flatMap(({ body }) => body?.refresh_token ?? [])),
];

async function waiting(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0].count;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('refreshing', () => {
  const context = useServer();
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  afterEach(() => context.server.clock.reset());

  const refresh = (refreshToken: string, server = context.server): Promise<Answer> =>
    server.anonymous.post('/v1/tokens/refresh', { refreshToken });

  const rotated = async ({ refreshToken }: TokenClient, server = context.server): Promise<TokenClient> => {
    const answer = await refresh(refreshToken, server);
    expect(answer.status).toBe(200);
    return TokenClient.from(server.url, server.secrets, { ...answer, status: 201 });
  };

  const unusedTokens = async ({ claims }: TokenClient): Promise<number> => {
    const [{ count }] = await context.server.query(
      'SELECT count(*)::int FROM refresh_tokens WHERE sign_in_id = $1 AND used_at IS NULL',
      [claims['sid']],
    );
    return count;
  };

  const isOver = async (token: TokenClient): Promise<void> => {
    expect((await token.get('/v1/probes/principal')).status).toBe(401);
    const rows: { ended: boolean }[] = await context.server.query(
      'SELECT ended_at IS NOT NULL AS ended FROM sign_ins WHERE id = $1',
      [token.claims['sid']],
    );
    expect(rows).toEqual([{ ended: true }]);
  };

  /** Holds the row of the sign-in, so that whatever is started meanwhile meets there, in the order of its start. */
  async function whileHeld(
    { claims }: TokenClient,
    ...actions: (() => Promise<Answer>)[]
  ): Promise<Answer[]> {
    const holder = new pg.Client({ connectionString: context.server.config.DATABASE_URL });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM sign_ins WHERE id = $1 FOR UPDATE', [claims['sid']]);
      const answers: Promise<Answer>[] = [];
      for (const action of actions) {
        answers.push(action());
        await until(async () => (await waiting(holder)) === answers.length);
      }
      await holder.query('COMMIT');
      return await Promise.all(answers);
    } finally {
      await holder.end();
    }
  }

  /** A family of which a thief holds a token that was used long ago. */
  const stolen = async () => {
    const first = await jwtOf(ada);
    const second = await rotated(first);
    await context.server.clock.advance('11s');
    return { first, second };
  };

  describe('one token by many at once', () => {
    it('gives all of them one and the same successor', async () => {
      const token = await jwtOf(ada);
      const answers = await times(50, () => refresh(token.refreshToken));
      expect(statuses(answers)).toEqual([200]);
      expect(successors(answers)).toHaveLength(1);
      expect(await unusedTokens(token)).toBe(1);
      await rotated({ refreshToken: successors(answers)[0] } as TokenClient);
    });

    it('does so when all of them have read the token before one of them uses it', async () => {
      const token = await jwtOf(ada);
      const one = () => refresh(token.refreshToken);
      const answers = await whileHeld(token, one, one, one);
      expect(statuses(answers)).toEqual([200]);
      expect(successors(answers)).toHaveLength(1);
      expect(await unusedTokens(token)).toBe(1);
    });

    it('does so from every node', async () => {
      const { config } = context.server;
      const other = await TestServer.start({ database: { url: config.DATABASE_URL! } });
      try {
        const token = await jwtOf(ada);
        const answers = await Promise.all([
          times(10, () => refresh(token.refreshToken)),
          times(10, () => refresh(token.refreshToken, other)),
        ]);
        expect(statuses(answers.flat())).toEqual([200]);
        expect(successors(answers.flat())).toHaveLength(1);
        expect(await unusedTokens(token)).toBe(1);
        const [{ body }] = answers[0] as [Answer];
        const there = other.anonymous.with({ Authorization: `Bearer ${body.access_token}` });
        expect((await there.get('/v1/probes/principal')).status).toBe(200);
      } finally {
        await other.stop();
      }
    });
  });

  it('signs nobody out of twenty clients that refresh five times each', async () => {
    const clients = await times(20, () => jwtOf(ada));
    const last = await Promise.all(
      clients.map(async (client) => {
        let token = client;
        for (let i = 0; i < 5; i += 1) token = await rotated(token);
        return token;
      }),
    );
    for (const token of last) {
      expect((await token.get('/v1/probes/principal')).status).toBe(200);
      expect(await unusedTokens(token)).toBe(1);
    }
    expect((await context.server.log()).join('')).not.toContain('refresh-token.reused');
  });

  it('signs nobody out of five tabs that share a token and refresh together five times', async () => {
    let { refreshToken } = await jwtOf(ada);
    for (let i = 0; i < 5; i += 1) {
      const answers = await times(5, () => refresh(refreshToken));
      expect(statuses(answers)).toEqual([200]);
      expect(successors(answers)).toHaveLength(1);
      refreshToken = successors(answers)[0] as string;
    }
  });

  describe('against a sign-out', () => {
    it('loses if it comes second', async () => {
      const token = await jwtOf(ada);
      const [signedOut, refreshed] = await whileHeld(
        token,
        () => token.delete('/v1/sessions/current'),
        () => refresh(token.refreshToken),
      );
      expect([signedOut!.status, refreshed!.status]).toEqual([204, 401]);
      await isOver(token);
    });

    it('gives a pair that ends with the sign-out if it comes first', async () => {
      const token = await jwtOf(ada);
      const [refreshed, signedOut] = await whileHeld(
        token,
        () => refresh(token.refreshToken),
        () => token.delete('/v1/sessions/current'),
      );
      expect([refreshed!.status, signedOut!.status]).toEqual([200, 204]);
      expect(await refresh(refreshed!.body.refresh_token)).toMatchObject({ status: 401 });
      const after = token.with({ Authorization: `Bearer ${refreshed!.body.access_token}` });
      expect((await after.get('/v1/probes/principal')).status).toBe(401);
      await isOver(token);
    });

    it('never outlives it, whatever the order', async () => {
      const tokens = await times(10, () => jwtOf(ada));
      const answers = await Promise.all(
        tokens.map((token) =>
          Promise.all([refresh(token.refreshToken), token.delete('/v1/sessions/current')]),
        ),
      );
      for (const [refreshed, signedOut] of answers) {
        expect([200, 401]).toContain(refreshed.status);
        expect(signedOut.status).toBe(204);
        if (refreshed.status === 200) expect((await refresh(refreshed.body.refresh_token)).status).toBe(401);
      }
      for (const token of tokens) await isOver(token);
    });
  });

  describe('against the end of all sign-ins', () => {
    it('gives nothing that outlives a disabled user', async () => {
      const person = await context.server.person();
      const root = await sessionOf(await context.server.administrator());
      const tokens = await times(5, () => jwtOf(person));
      const [disabled, ...refreshed] = await Promise.all([
        root.put(`/v1/admin/users/${person.id}/status`, { status: 'disabled' }),
        ...tokens.map((token) => refresh(token.refreshToken)),
      ]);
      expect(disabled.status).toBe(200);
      for (const answer of refreshed) {
        expect([200, 401]).toContain(answer.status);
        if (answer.status === 200) expect((await refresh(answer.body.refresh_token)).status).toBe(401);
      }
      for (const token of tokens) await isOver(token);
    });
  });

  describe('against a reuse', () => {
    it('loses if it comes second', async () => {
      const { first, second } = await stolen();
      const answers = await whileHeld(
        second,
        () => refresh(first.refreshToken),
        () => refresh(second.refreshToken),
      );
      expect(statuses(answers)).toEqual([401]);
      await isOver(second);
    });

    it('gives a pair that ends with the family if it comes first', async () => {
      const { first, second } = await stolen();
      const [mine, theirs] = await whileHeld(
        second,
        () => refresh(second.refreshToken),
        () => refresh(first.refreshToken),
      );
      expect([mine!.status, theirs!.status]).toEqual([200, 401]);
      expect((await refresh(mine!.body.refresh_token)).status).toBe(401);
      await isOver(second);
    });

    it('by many at once ends the family with one mail', async () => {
      const { first, second } = await stolen();
      const before = (await context.server.mails()).length;
      const answers = await times(10, () => refresh(first.refreshToken));
      expect(statuses(answers)).toEqual([401]);
      expect(await context.server.mails()).toHaveLength(before + 1);
      await isOver(second);
    });
  });

  describe('against a reauthentication', () => {
    it.each([
      ['first', [200, 200]],
      ['second', [200, 401]],
    ])('leaves the new pair alive if it comes %s', async (order, expected) => {
      const token = await jwtOf(ada);
      const refreshes = () => refresh(token.refreshToken);
      const proves = () => token.post('/v1/sessions/current/reauthentication', { password: ada.password });
      const answers = await whileHeld(
        token,
        ...(order === 'first' ? [refreshes, proves] : [proves, refreshes]),
      );
      expect(answers.map(({ status }) => status)).toEqual(expected);
      expect(await unusedTokens(token)).toBe(1);
      const { body } = order === 'first' ? answers[1]! : answers[0]!;
      const after = token.with({ Authorization: `Bearer ${body.access_token}` });
      expect((await after.get('/v1/probes/principal')).status).toBe(200);
      expect((await refresh(body.refresh_token)).status).toBe(200);
    });
  });
});
