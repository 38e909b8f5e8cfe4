import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { administer, tokens } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const RESOURCE = 'https://reports.example.com';

const whoami = (client: Client) => client.get('/v1/probes/principal');

describe('the mode opaque', () => {
  const context = useServer({ env: { AUDIENCES: `http://auth.example.com ${RESOURCE}` } });

  /** Signs in for opaque tokens. */
  async function signIn(person: Person, options: Record<string, unknown> = {}) {
    const { email, password } = person;
    const fields = { email, password, format: 'opaque', ...options };
    const { status, body } = await context.server.anonymous.post('/v1/tokens', fields);
    expect(status).toBe(201);
    return { ...body, client: bearer(body.access_token) };
  }
  const bearer = (token: string): Client =>
    context.server.anonymous.with({ Authorization: `Bearer ${token}` });

  it('is asked for with the format of POST /v1/tokens', async () => {
    const ada = await context.server.person();
    const { access_token, token_type, expires_in, scope, refresh_token } = await signIn(ada, {
      scope: 'probes:read profile:read',
    });
    expect(access_token).toMatch(/^at_[A-Za-z0-9_-]{43}$/);
    expect(refresh_token).toMatch(/^rt_/);
    expect({ token_type, expires_in, scope }).toEqual({
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'probes:read profile:read',
    });
  });

  it('stands for the person, with the scopes that were asked for', async () => {
    const ada = await context.server.person();
    const { client } = await signIn(ada, { scope: 'probes:read' });
    const { body } = await whoami(client);
    expect(body).toMatchObject({ mode: 'opaque', subject: ada.id, scopes: ['probes:read'], amr: ['pwd'] });
    expect(body.authTime).not.toBeNull();
    expect((await client.get('/v1/probes')).status).toBe(200);
    const refused = await client.post('/v1/probes', { note: 'Tea' });
    expect(refused.status).toBe(403);
    expect(refused.challenges).toBe('Bearer realm="api", error="insufficient_scope", scope="probes:write"');
  });

  it('is taken after any number of spaces, and no other white space', async () => {
    const { access_token } = await signIn(await context.server.person());
    expect((await whoami(bearer(`  ${access_token}`))).status).toBe(200);
    for (const token of [`\u00a0${access_token}`, `${access_token}\u00a0`])
      expect((await whoami(bearer(token))).problem).toBe('invalid-credential');
  });

  it('is kept by a refresh', async () => {
    const { client, refresh_token } = await signIn(await context.server.person());
    const { body } = await context.server.anonymous.post('/v1/tokens/refresh', {
      refreshToken: refresh_token,
    });
    expect(body.access_token).toMatch(/^at_/);
    expect((await whoami(bearer(body.access_token))).status).toBe(200);
    expect((await whoami(client)).status).toBe(200);
  });

  it.each([
    ['an unknown token', `at_${'A'.repeat(43)}`],
    ['one that is too short', 'at_short'],
    ['one whose last character has stray bits', `at_${'A'.repeat(42)}B`],
    ['nothing behind the prefix', 'at_'],
    ['junk behind the token', `at_${'A'.repeat(43)} junk`],
    ['two tokens', `at_${'A'.repeat(43)}, at_${'A'.repeat(43)}`],
  ])('refuses %s', async (_name, token) => {
    const { status, problem, challenges } = await whoami(bearer(token));
    expect({ status, problem }).toEqual({ status: 401, problem: 'invalid-credential' });
    expect(challenges).toContain('Bearer realm="api", error="invalid_token"');
    expect(challenges!.match(/Bearer/g)).toHaveLength(1);
  });

  it('refuses a good token with junk behind it', async () => {
    const { access_token } = await signIn(await context.server.person());
    expect((await whoami(bearer(`${access_token} junk`))).status).toBe(401);
  });

  it('refuses a malformed token without a query', async () => {
    const { server } = context;
    const before = (await server.log()).length;
    await whoami(bearer('at_short'));
    expect((await server.log()).slice(before).join('')).toContain('malformed opaque token');
  });

  // room: sessions
  it('is refused by routes for sessions', async () => {
    const { client } = await signIn(await context.server.person());
    const { status, problem } = await client.get('/v1/sessions/current/csrf-token');
    expect({ status, problem }).toEqual({ status: 401, problem: 'mode-not-accepted' });
  });
  // /room

  it('ends when it expires', async () => {
    const { client } = await signIn(await context.server.person());
    await context.server.clock.advance('11m');
    expect((await whoami(client)).status).toBe(401);
    await context.server.clock.reset();
  });

  it('never lives longer than its sign-in', async () => {
    const { refresh_token } = await signIn(await context.server.person());
    await context.server.query(`UPDATE sign_ins SET expires_at = now() + interval '90 seconds'`);
    const { body } = await context.server.anonymous.post('/v1/tokens/refresh', {
      refreshToken: refresh_token,
    });
    expect(body.expires_in).toBeLessThanOrEqual(90);
  });

  it('ends with its sign-in', async () => {
    const ada = await context.server.person();
    const { client } = await signIn(ada);
    const other = await signIn(ada);
    expect((await whoami(other.client)).status).toBe(200);
    expect((await client.delete('/v1/sessions')).status).toBe(204);
    expect((await whoami(other.client)).status).toBe(401);
    expect((await client.delete('/v1/sessions/current')).status).toBe(204);
    expect((await whoami(client)).status).toBe(401);
  });

  // room: admin
  it('ends when its user is disabled', async () => {
    const ada = await context.server.person();
    const { client } = await signIn(ada);
    expect((await whoami(client)).status).toBe(200);
    const admin = await administer(await context.server.administrator());
    await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
    expect((await whoami(client)).status).toBe(401);
  });
  // /room

  it('ends when the person proves anew who they are, and the answer brings the next one', async () => {
    const ada = await context.server.person();
    const { client } = await signIn(ada);
    expect((await whoami(client)).status).toBe(200);
    const { body } = await client.post('/v1/sessions/current/reauthentication', { password: ada.password });
    expect(body.access_token).toMatch(/^at_/);
    expect((await whoami(client)).status).toBe(401);
    expect((await whoami(bearer(body.access_token))).status).toBe(200);
  });

  it('ends when the password changes', async () => {
    const ada = await context.server.person();
    const [{ client }, other] = [await signIn(ada), await signIn(ada)];
    const { status, body } = await client.put('/v1/users/me/password', {
      currentPassword: ada.password,
      newPassword: 'another horse battery staple',
    });
    expect(status).toBe(200);
    expect((await whoami(client)).status).toBe(401);
    expect((await whoami(other.client)).status).toBe(401);
    expect((await whoami(bearer(body.access_token))).status).toBe(200);
  });

  it.each(tokens.map(({ mode }) => mode))('is refused here for another audience (%s)', async (format) => {
    const { client } = await signIn(await context.server.person(), { format, resource: RESOURCE });
    expect((await whoami(client)).status).toBe(401);
  });

  it.each(tokens.map(({ mode }) => mode))('is not issued for an unknown audience (%s)', async (format) => {
    const { email, password } = await context.server.person();
    const fields = { email, password, format, resource: 'https://elsewhere.example.com' };
    const { status, body } = await context.server.anonymous.post('/v1/tokens', fields);
    expect({ status, pointer: body.errors[0].pointer }).toEqual({ status: 400, pointer: '/resource' });
  });
});
