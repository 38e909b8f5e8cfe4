import { expect, it, jest } from '@jest/globals';
import { InProcessServer } from '../../support/in-process.js';
import { tokens } from '../../support/modes/any.js';
import { useStarted } from '../../support/server.js';

const REFUSED = { status: 401, problem: 'invalid-refresh-token' };
const context = useStarted(() => InProcessServer.start());
const refresh = (refreshToken: string) =>
  context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });

it('refuses a malformed refresh token without a lookup', async () => {
  const { refreshToken } = await tokens[0]!.of(await context.server.person());
  const { logger } = context.server.dataSource;
  const queries = jest.spyOn(logger, 'logQuery');
  const lookups = () => queries.mock.calls.filter(([sql]) => sql.includes('refresh_tokens'));
  for (const malformed of [
    '',
    'rt_',
    refreshToken.slice(0, -1),
    `${refreshToken}A`,
    `${refreshToken} `,
    refreshToken.replace('rt_', 'at_'),
    `${refreshToken.slice(0, -1)}B`,
    `${refreshToken.slice(0, 20)}'${refreshToken.slice(21)}`,
  ])
    expect(await refresh(malformed)).toMatchObject(REFUSED);
  expect(lookups()).toEqual([]);
  expect((await refresh(refreshToken)).status).toBe(200);
  expect(lookups()).not.toEqual([]);
  queries.mockRestore();
});
