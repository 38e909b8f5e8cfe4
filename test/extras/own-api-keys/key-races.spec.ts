import { beforeEach, describe, expect, it } from '@jest/globals';
import { atRow, meet, type Meeting } from '../../support/barrier.js';
import type { Answer, Client } from '../../support/client.js';
import { administer, signIn } from '../../support/modes/any.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import type { Person } from '../../support/person.js';
import { expectQuietLog } from '../../support/quiet-log.js';
import { PASSWORD, useServer } from '../../support/server.js';

describe('races about API keys', () => {
  const context = useServer();
  expectQuietLog(context);
  let ada: Person;
  let client: Client;
  beforeEach(async () => {
    ada = await context.server.person();
    client = await signIn(ada);
  });

  const createKey = () => client.post('/v1/api-keys', { name: 'A test', scopes: ['probes:read'] });
  const disable = async () => {
    const admin = await administer(await context.server.administrator());
    return admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
  };

  /** Lets two requests meet, and gives the status of each, in their order. */
  async function race(meeting: Meeting, ...requests: (() => Promise<Answer>)[]) {
    const answers = await meet(context.server, meeting, requests);
    return { answers, statuses: answers.map(({ status }) => status) };
  }

  it('creates a key just before its owner is disabled, and refuses it', async () => {
    const { answers, statuses } = await race(atRow('users', ada.id), createKey, disable);
    expect(statuses).toEqual([201, 200]);
    const keyed = context.server.anonymous.with({ 'X-API-Key': answers[0]!.body.key });
    expect((await keyed.get('/v1/probes/principal')).status).toBe(401);
  });

  it('creates no key after its owner is disabled', async () => {
    const { statuses } = await race(atRow('users', ada.id), disable, createKey);
    expect(statuses).toEqual([200, 401]);
  });

  it('creates no key by a sign-in that a change of the password ended', async () => {
    const other = await signIn(ada);
    const body = { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` };
    const { statuses } = await race(
      atRow('users', ada.id),
      () => other.put('/v1/users/me/password', body),
      createKey,
    );
    expect(statuses).toEqual([200, 401]);
  });

  it('deletes a key once', async () => {
    const { id } = await apiKeyOf(ada, ['probes:read']);
    const remove = () => client.delete(`/v1/api-keys/${id}`);
    const { statuses } = await race(atRow('api_keys', id), remove, remove);
    expect(statuses).toEqual([204, 404]);
  });

  it('refuses to narrow a deleted key', async () => {
    const { id } = await apiKeyOf(ada, ['probes:read', 'probes:write']);
    const { statuses } = await race(
      atRow('api_keys', id),
      () => client.delete(`/v1/api-keys/${id}`),
      () => client.patch(`/v1/api-keys/${id}`, { scopes: ['probes:read'] }),
    );
    expect(statuses).toEqual([204, 404]);
  });

  it('never widens a key by a change that was requested before a narrower one', async () => {
    const { id } = await apiKeyOf(ada, ['probes:read', 'probes:write']);
    const narrow = (scopes: string[]) => () => client.patch(`/v1/api-keys/${id}`, { scopes });
    const { statuses } = await race(
      atRow('api_keys', id),
      narrow(['probes:read']),
      narrow(['probes:read', 'probes:write']),
    );
    expect(statuses).toEqual([200, 400]);
    expect((await client.get(`/v1/api-keys/${id}`)).body.scopes).toEqual(['probes:read']);
  });
});
