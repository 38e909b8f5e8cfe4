import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { atRow, meet } from '../../support/barrier.js';
import type { Answer } from '../../support/client.js';
import { administer, type TokenHolder, tokens as kinds } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, TestServer, useServer } from '../../support/server.js';

const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));
const statuses = (answers: Answer[]): number[] => [...new Set(answers.map(({ status }) => status))];
const successors = (answers: Answer[]): unknown[] => [
  ...new Set(answers.flatMap(({ body }) => body?.refresh_token ?? [])),
];

const { of: tokenOf, from } = kinds[0]!;

describe('refreshing', () => {
  // More sign-ins of one person at once than the limits allow.
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  afterEach(() => context.server.clock.reset());

  const refresh = (refreshToken: string, server = context.server): Promise<Answer> =>
    server.anonymous.post('/v1/tokens/refresh', { refreshToken });

  const rotated = async (
    { refreshToken }: Pick<TokenHolder, 'refreshToken'>,
    server = context.server,
  ): Promise<TokenHolder> => {
    const answer = await refresh(refreshToken, server);
    expect(answer.status).toBe(200);
    return from(server.url, server.secrets, { ...answer, status: 201 });
  };

  /** The sign-in of a token, also after its end. */
  const familyOf = async ({ refreshToken }: Pick<TokenHolder, 'refreshToken'>): Promise<string> => {
    const [{ id }] = await context.server.query(
      'SELECT sign_in_id AS id FROM refresh_tokens WHERE token_hash = sha256($1::text::bytea)',
      [refreshToken],
    );
    return id;
  };

  const unusedTokens = async (token: Pick<TokenHolder, 'refreshToken'>): Promise<number> => {
    const [{ count }] = await context.server.query(
      'SELECT count(*)::int FROM refresh_tokens WHERE sign_in_id = $1 AND used_at IS NULL',
      [await familyOf(token)],
    );
    return count;
  };

  const isOver = async (token: TokenHolder): Promise<void> => {
    expect((await token.get('/v1/probes/principal')).status).toBe(401);
    const rows: { ended: boolean }[] = await context.server.query(
      'SELECT ended_at IS NOT NULL AS ended FROM sign_ins WHERE id = $1',
      [await familyOf(token)],
    );
    expect(rows).toEqual([{ ended: true }]);
  };

  /** The actions meet at the row of the sign-in, in this order. */
  const whileHeld = async (token: TokenHolder, ...actions: (() => Promise<Answer>)[]): Promise<Answer[]> =>
    meet(context.server, atRow('sign_ins', await familyOf(token)), actions);

  /** A family of which a thief holds a token that was used long ago. */
  const stolen = async () => {
    const first = await tokenOf(ada);
    const second = await rotated(first);
    await context.server.clock.advance('11s');
    return { first, second };
  };

  describe('one token by many at once', () => {
    it('[V2.3.4] gives all of them the same successor', async () => {
      const token = await tokenOf(ada);
      const answers = await times(50, () => refresh(token.refreshToken));
      expect(statuses(answers)).toEqual([200]);
      expect(successors(answers)).toHaveLength(1);
      expect(await unusedTokens(token)).toBe(1);
      await rotated({ refreshToken: successors(answers)[0] as string });
    });

    it('does so if all of them meet at the same row', async () => {
      const token = await tokenOf(ada);
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
        const token = await tokenOf(ada);
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

  it('signs out none of twenty clients that refresh five times each', async () => {
    const clients = await times(20, () => tokenOf(ada));
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

  it('signs out none of five tabs that share a token and refresh together', async () => {
    let { refreshToken } = await tokenOf(ada);
    for (let i = 0; i < 5; i += 1) {
      const answers = await times(5, () => refresh(refreshToken));
      expect(statuses(answers)).toEqual([200]);
      expect(successors(answers)).toHaveLength(1);
      refreshToken = successors(answers)[0] as string;
    }
  });

  describe('against a sign-out', () => {
    it('[V15.4.2] loses if it comes second', async () => {
      const token = await tokenOf(ada);
      const [signedOut, refreshed] = await whileHeld(
        token,
        () => token.delete('/v1/sessions/current'),
        () => refresh(token.refreshToken),
      );
      expect([signedOut!.status, refreshed!.status]).toEqual([204, 401]);
      await isOver(token);
    });

    it('gives a pair that ends with the sign-out if it comes first', async () => {
      const token = await tokenOf(ada);
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

    it('never outlives the sign-out, in any order', async () => {
      const tokens = await times(10, () => tokenOf(ada));
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

  describe('against a change of the password by the same token', () => {
    const changes = (token: TokenHolder) => () =>
      token.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` });
    const statusOf = async ({ body }: Answer) => {
      const client = context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });
      return (await client.get('/v1/probes/principal')).status;
    };

    it('loses if it comes second', async () => {
      const token = await tokenOf(await context.server.person());
      const answers = await whileHeld(token, changes(token), () => refresh(token.refreshToken));
      expect(answers.map(({ status }) => status)).toEqual([200, 401]);
      expect(await statusOf(answers[0]!)).toBe(200);
    });

    it('gives a pair that the change ends if it comes first', async () => {
      const token = await tokenOf(await context.server.person());
      const answers = await whileHeld(token, () => refresh(token.refreshToken), changes(token));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect([await statusOf(answers[0]!), await statusOf(answers[1]!)]).toEqual([401, 200]);
    });
  });

  // room: admin
  describe('against the end of all sign-ins', () => {
    it('gives no token that outlives the disabling of the user', async () => {
      const person = await context.server.person();
      const root = await administer(await context.server.administrator());
      const tokens = await times(5, () => tokenOf(person));
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
  // /room

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

    it('ends the family with one mail if many reuse a token at once', async () => {
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
      const token = await tokenOf(ada);
      const refreshes = () => refresh(token.refreshToken);
      const proves = () => token.post('/v1/sessions/current/reauthentication', { password: ada.password });
      const answers = await whileHeld(
        token,
        ...(order === 'first' ? [refreshes, proves] : [proves, refreshes]),
      );
      expect(answers.map(({ status }) => status)).toEqual(expected);
      const { body } = order === 'first' ? answers[1]! : answers[0]!;
      expect(await unusedTokens({ refreshToken: body.refresh_token })).toBe(1);
      const after = token.with({ Authorization: `Bearer ${body.access_token}` });
      expect((await after.get('/v1/probes/principal')).status).toBe(200);
      expect((await refresh(body.refresh_token)).status).toBe(200);
    });
  });
});
