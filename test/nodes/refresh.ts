import { describe, expect, it } from '@jest/globals';
import { jwtOf } from '../support/modes/jwt.js';
import { bearer, PATH, three } from './three-nodes.js';

describe('a refresh token', () => {
  it('is used on three nodes at once: one family, one successor, nobody signed out', async () => {
    const { refreshToken } = await jwtOf(await three.server.person());
    const answers = await Promise.all(
      [0, 1, 2, 0, 1, 2].map((node) => three.at(node).post('/v1/tokens/refresh', { refreshToken })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    for (const node of [0, 1, 2])
      for (const { body } of answers)
        expect((await three.at(node, bearer(body.access_token)).get(PATH)).status).toBe(200);
  });
});
