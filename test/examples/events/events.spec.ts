import { describe, expect, it } from '@jest/globals';
import { apiKeyOf } from '../../support/modes/api-key.js';
// room: users
import { signIns } from '../../support/modes/any.js';
// /room
import { useServer } from '../../support/server.js';

/** An event in JSON of so many levels: the body is the first, `data` the second. */
const nested = (levels: number) =>
  `{"type":"x","data":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;

describe('POST /v1/events', () => {
  const context = useServer();
  const sender = async () => apiKeyOf(await context.server.serviceAccount(), ['events:write']);
  const stored = (id: string) =>
    context.server
      .query(
        `SELECT owner_id AS "userId", api_key_id AS "apiKeyId", type, data, data IS NULL AS "none" FROM events WHERE id = $1`,
        [id],
      )
      .then(([row]) => row);

  it("records an event of the key's owner, and which key sent it", async () => {
    const owner = await context.server.serviceAccount();
    const key = await apiKeyOf(owner, ['events:write']);
    const data = { rows: 3, tags: ['a', 'ü🍵'], nested: { ok: true, nothing: null } };
    const answer = await key.post('/v1/events', { type: 'import.finished', data });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      type: 'import.finished',
      createdAt: expect.stringMatching(/Z$/),
    });
    expect(await stored(answer.body.id)).toEqual({
      userId: owner.id,
      apiKeyId: key.id,
      type: 'import.finished',
      data,
      none: false,
    });
  });

  it('accepts an event without data', async () => {
    const { status, body } = await (await sender()).post('/v1/events', { type: 'import.started' });
    expect(status).toBe(202);
    expect(await stored(body.id)).toMatchObject({ data: null, none: true });
  });

  // room: users
  it.each(signIns)('refuses a person with a $mode', async ({ of }) => {
    const client = await of(await context.server.person());
    const answer = await client.post('/v1/events', { type: 'import.finished' });
    expect(answer).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
    expect(answer.challenges).toBe('ApiKey realm="api"');
  });
  // /room

  it('refuses a request without a credential', async () => {
    const nobody = await context.server.anonymous.post('/v1/events', { type: 'import.finished' });
    expect(nobody).toMatchObject({ status: 401, problem: 'credential-required' });
    expect(nobody.challenges).toBe('ApiKey realm="api"');
  });

  it('refuses a key without events:write', async () => {
    const key = await apiKeyOf(await context.server.serviceAccount(), ['probes:read']);
    const answer = await key.post('/v1/events', { type: 'import.finished' });
    expect(answer).toMatchObject({ status: 403, problem: 'insufficient-scope' });
    expect(answer.challenges).toBe('ApiKey realm="api", error="insufficient_scope", scope="events:write"');
  });

  it.each<[string, unknown, string]>([
    ['no type', { data: {} }, '/type'],
    ['a type in upper case', { type: 'Import' }, '/type'],
    ['a type of 101 characters', { type: 'x'.repeat(101) }, '/type'],
    ['a type with a line break', { type: 'import\n' }, '/type'],
    ['data that is an array', { type: 'x', data: [1] }, '/data'],
    ['data that is null', { type: 'x', data: null }, '/data'],
    ['NUL in data', { type: 'x', data: { a: ['\0'] } }, '/data'],
    ['NUL in a name in data', { type: 'x', data: { a: { '\0': 1 } } }, '/data'],
    ['a lone surrogate in data', { type: 'x', data: { a: '\udc00' } }, '/data'],
    ['the id of another key', { type: 'x', apiKeyId: 'x' }, '/apiKeyId'],
  ])('refuses %s', async (_what, body, pointer) => {
    const answer = await (await sender()).post('/v1/events', body);
    expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
    expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
  });

  it('takes data 20 deep and refuses it deeper', async () => {
    const key = await sender();
    expect((await key.post('/v1/events', nested(20))).status).toBe(202);
    for (const levels of [21, 40_000])
      expect(await key.post('/v1/events', nested(levels))).toMatchObject({
        status: 400,
        problem: 'malformed-request',
      });
  });

  it.each(['{"__proto__":{"a":1}}', '{"a":{"constructor":{"prototype":{"b":1}}}}'])(
    'refuses data that reaches for a prototype: %s',
    async (data) => {
      const answer = await (await sender()).post('/v1/events', `{"type":"x","data":${data}}`);
      expect(answer).toMatchObject({ status: 400, problem: 'malformed-request' });
    },
  );
});
