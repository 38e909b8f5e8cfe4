import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { anyone } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';

// As in the fixture.
const SECRET = 'the secret of a webhook';
const LIMIT = 300_000;
const FORM_TYPE = 'application/x-www-form-urlencoded';
const sign = (body: string) => createHmac('sha256', SECRET).update(body).digest('hex');

describe('a route that declares its body', () => {
  const context = useServer({ fixture: 'test/web/http/bodies.fixture.ts#bodies' });
  const send = (
    method: string,
    path: string,
    type: string,
    body: NonNullable<RequestInit['body']>,
    headers: object = {},
  ) =>
    fetch(`${context.server.url}/v1/bodies/${path}`, {
      method,
      headers: { 'Content-Type': type, ...headers },
      body,
    });
  const outcome = async (response: Response) => [response.status, await response.json()];
  const refusal = async (response: Response) => {
    const { type, detail } = (await response.json()) as { type: string; detail: string };
    return [response.status, type.split('/').at(-1), detail];
  };

  it('gets the bytes of a webhook as they came, so that their signature can be verified', async () => {
    // Not as JSON.stringify would write it.
    const body = '{ "id" : 1e0 }\n';
    const signed = { 'X-Signature': sign(body) };
    expect(await outcome(await send('POST', 'webhooks', 'application/json', body, signed))).toEqual([
      200,
      { id: 1 },
    ]);
    expect((await send('POST', 'webhooks', 'application/json', `${body} `, signed)).status).toBe(403);
  });

  it('reads them as strictly as any JSON, once they are verified', async () => {
    const by = (body: string) =>
      send('POST', 'webhooks', 'application/json', body, { 'X-Signature': sign(body) });
    expect((await refusal(await by('{"id":"x"}'))).slice(0, 2)).toEqual([400, 'validation-failed']);
    expect((await refusal(await by('{"__proto__":{}}'))).slice(0, 2)).toEqual([400, 'malformed-request']);
    expect((await refusal(await by('{'))).slice(0, 2)).toEqual([400, 'malformed-request']);
  });

  it('gets the fields of a form, validated as those of JSON are', async () => {
    const by = (form: string) => send('POST', 'contact', FORM_TYPE, form);
    expect(await outcome(await by('name=Ada+L&age=36'))).toEqual([200, { name: 'Ada L', age: 36 }]);
    for (const form of [
      'name=Ada',
      'name=&age=1',
      'name=Ada&age=x',
      'name=Ada&age=1&more=1',
      'name=A&name=B&age=1',
    ])
      expect([form, ...(await refusal(await by(form))).slice(0, 2)]).toEqual([
        form,
        400,
        'validation-failed',
      ]);
  });

  it('gets JSON of another media type', async () => {
    for (const type of [
      'application/merge-patch+json',
      'application/json',
      'application/json; charset=utf-8',
    ])
      expect(await outcome(await send('PATCH', 'merged', type, '{"id":1}'))).toEqual([200, { id: 1 }]);
  });

  it('gets an upload, up to the limit that it declares', async () => {
    const { headers } = await anyone(context.server);
    const upload = (bytes: number, type = 'image/png') =>
      send('PUT', 'avatar', type, new Uint8Array(bytes), headers);
    expect(await outcome(await upload(LIMIT))).toEqual([200, { bytes: LIMIT }]);
    expect((await refusal(await upload(LIMIT + 1))).slice(0, 2)).toEqual([413, 'body-too-large']);
    expect((await send('PUT', 'avatar', 'image/png', 'x')).status).toBe(401);
  });

  it('refuses other media types and names its own', async () => {
    const detail = 'Send the body with Content-Type: image/png or image/jpeg.';
    for (const type of ['application/json', 'image/gif', FORM_TYPE])
      expect(await refusal(await send('PUT', 'avatar', type, '{}'))).toEqual([
        415,
        'unsupported-media-type',
        detail,
      ]);
    expect((await send('POST', 'contact', 'application/json', '{}')).status).toBe(415);
  });

  it('leaves the other routes as they are', async () => {
    const { anonymous } = context.server;
    for (const type of ['image/png', 'application/merge-patch+json', FORM_TYPE]) {
      const { status, body } = await anonymous.post('/v1/probes/echo', '{}', {
        headers: { 'Content-Type': type },
      });
      expect([type, status, body.detail]).toEqual([
        type,
        415,
        'Send JSON with Content-Type: application/json.',
      ]);
    }
    expect((await anonymous.post('/v1/probes/echo', { note: 'x'.repeat(150_000) })).status).toBe(413);
  });

  it('is in the API reference with its media types', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    const contentOf = (path: string, method: string) =>
      paths[`/v1/bodies/${path}`][method].requestBody.content;
    expect(Object.keys(contentOf('avatar', 'put'))).toEqual(['image/png', 'image/jpeg']);
    expect(Object.keys(contentOf('contact', 'post'))).toEqual([FORM_TYPE]);
    expect(contentOf('contact', 'post')[FORM_TYPE].schema).toEqual({ $ref: '#/components/schemas/Contact' });
    expect(contentOf('webhooks', 'post')['application/json'].schema).toMatchObject({ format: 'binary' });
  });
});
