import { Controller, Get, Module } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Authenticated } from '../../src/auth/authenticated.decorator.js';
import { StepUp } from '../../src/auth/step-up.js';
import { InProcessServer } from '../support/in-process.js';
// room: jwt
import { jwtOf } from '../support/modes/jwt.js';
// /room
import { sessionOf } from '../support/modes/session.js';
import { useStarted } from '../support/server.js';

@Controller('v1/vault')
class VaultController {
  @Get('recent')
  @Authenticated({ modes: 'person', recentSignIn: '5m' })
  recent() {}

  @Get('strong')
  @Authenticated({ modes: 'person', secondFactor: true })
  strong() {}

  @Get('both')
  @Authenticated({ modes: 'person', recentSignIn: '5m', secondFactor: true, live: true })
  both() {}

  @Get('enrolled')
  @Authenticated({ modes: 'person', secondFactor: 'where-enrolled' })
  enrolled() {}
}

@Module({ controllers: [VaultController] })
class VaultModule {}

const challenge = (parameters: string) =>
  `Session realm="api", error="insufficient_user_authentication", ${parameters}`;
const refused = (parameters: string) => ({
  status: 401,
  problem: 'insufficient-user-authentication',
  challenges: challenge(parameters),
});
const FACTOR = 'acr_values="aal2"';
const RECENT = 'max_age="300"';

describe('what a route demands of a sign-in', () => {
  const context = useStarted(() =>
    InProcessServer.start({ modules: [VaultModule], env: { CREDENTIAL_CACHE_TTL: '0' } }),
  );
  /** Who has a second factor, in place of the room that stores them. */
  const enrolled = new Set<string>();
  let asked: number;

  beforeEach(() => {
    context.server.clock.reset();
    enrolled.clear();
    asked = 0;
    context.server.app.get(StepUp).register({
      requiredOf: 'off',
      isEnrolled: async (userId) => {
        asked += 1;
        return enrolled.has(userId);
      },
    });
  });

  /** A session whose last second factor was at a time of the clock. */
  async function session(secondFactor: boolean) {
    const person = await context.server.person();
    const client = await sessionOf(person);
    if (secondFactor)
      await context.server.query('UPDATE sign_ins SET second_factor_at = auth_time WHERE id = $1', [
        client.signInId,
      ]);
    return { client, person };
  }

  it('[V10.3.4] is a sign-in within the time that it names', async () => {
    const { client } = await session(false);
    expect((await client.get('/v1/vault/recent')).status).toBe(200);
    context.server.clock.advance('6m');
    expect(await client.get('/v1/vault/recent')).toMatchObject({ ...refused(RECENT), body: { maxAge: 300 } });
  });

  it('is a second factor of any age', async () => {
    const [weak, strong] = [await session(false), await session(true)];
    expect(await weak.client.get('/v1/vault/strong')).toMatchObject({
      ...refused(FACTOR),
      body: { acrValues: ['aal2'] },
    });
    context.server.clock.advance('1h');
    expect((await strong.client.get('/v1/vault/strong')).status).toBe(200);
  });

  it('is both within the time, if it names both', async () => {
    const [weak, strong] = [await session(false), await session(true)];
    expect(await weak.client.get('/v1/vault/both')).toMatchObject(refused(`${FACTOR}, ${RECENT}`));
    expect((await strong.client.get('/v1/vault/both')).status).toBe(200);
    context.server.clock.advance('6m');
    await context.server.query('UPDATE sign_ins SET auth_time = $2 WHERE id = $1', [
      strong.client.signInId,
      context.server.clock.now(),
    ]);
    expect(await strong.client.get('/v1/vault/both')).toMatchObject(refused(`${FACTOR}, ${RECENT}`));
  });

  it('is a factor of people who have one, and only then costs a question', async () => {
    const [weak, strong] = [await session(false), await session(true)];
    expect((await weak.client.get('/v1/vault/enrolled')).status).toBe(200);
    enrolled.add(weak.person.id);
    expect(await weak.client.get('/v1/vault/enrolled')).toMatchObject(refused(FACTOR));
    expect(asked).toBe(2);
    expect((await strong.client.get('/v1/vault/enrolled')).status).toBe(200);
    expect((await weak.client.get('/v1/probes')).status).toBe(200);
    expect(asked).toBe(2);
  });

  // room: jwt
  it('is read from a JWT where the route is not live', async () => {
    const token = await jwtOf(await context.server.person());
    await context.server.query('UPDATE sign_ins SET second_factor_at = auth_time WHERE id = $1', [
      token.claims['sid'],
    ]);
    expect((await token.get('/v1/vault/strong')).problem).toBe('insufficient-user-authentication');
    const { body } = await context.server.anonymous.post('/v1/tokens/refresh', {
      refreshToken: token.refreshToken,
    });
    const next = token.with({ Authorization: `Bearer ${body.access_token}` });
    expect((await next.get('/v1/vault/strong')).status).toBe(200);
  });
  // /room
});
