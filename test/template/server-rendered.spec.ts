import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Client, FORM } from '../support/client.js';
import { type SessionClient, sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { PASSWORD, useServer } from '../support/server.js';

const FIXTURE = 'test/template/server-rendered.fixture.ts';

describe('the server-rendered pages of docs/server-rendered.md', () => {
  const context = useServer({ fixture: `${FIXTURE}#pages` });
  let ada: Person;
  let session: SessionClient;
  beforeAll(async () => {
    ada = await context.server.person();
    session = await sessionOf(ada);
  });

  /** A browser sends the cookie and its origin with a form, and no further header. */
  const submit = (client: Client, path: string, fields: Record<string, string>, origin = client.url) =>
    client.post(path, new URLSearchParams(fields).toString(), {
      headers: { 'Content-Type': FORM, Origin: origin, 'Sec-Fetch-Site': 'same-origin' },
    });
  const browser = () => context.server.anonymous.with({ Cookie: session.headers['Cookie']! });
  const leadsTo = async (answer: Promise<Answer>) => {
    const { status, headers } = await answer;
    return [status, headers.get('location')];
  };

  it('sends a person who is not signed in to the sign-in page', async () => {
    expect(await leadsTo(context.server.anonymous.get('/orders'))).toEqual([303, '/sign-in']);
  });

  it('signs in by a form', async () => {
    const answer = await submit(context.server.anonymous, '/sign-in', {
      email: ada.email,
      password: PASSWORD,
    });
    expect([answer.status, answer.headers.get('location'), answer.cookies]).toEqual([
      303,
      '/orders',
      expect.objectContaining({ '__Host-session': expect.stringMatching(/./) }),
    ]);
  });

  it('goes back to the sign-in page after a wrong password', async () => {
    const wrong = { email: ada.email, password: 'wrong' };
    expect(await leadsTo(submit(context.server.anonymous, '/sign-in', wrong))).toEqual([303, '/sign-in']);
  });

  it('places an order with the token of the hidden field, and shows it as text', async () => {
    const { body: page } = await browser().get('/orders');
    const csrfToken = /name="csrfToken" value="([^"]+)"/.exec(page)![1]!;
    expect(csrfToken).toBe(session.csrfToken);
    const order = { csrfToken, item: '<script>alert(1)</script>', quantity: '2' };
    expect(await leadsTo(submit(browser(), '/orders', order))).toEqual([303, '/orders']);
    const { body: after } = await browser().get('/orders');
    expect(after).toContain('&#60;script&#62;');
    expect(after).not.toContain('<script>');
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { csrfToken: 'wrong' }],
  ])('refuses a form with %s', async (_what, fields) => {
    const answer = await submit(browser(), '/orders', { item: 'Tea', quantity: '1', ...fields });
    expect(answer).toMatchObject({ status: 403, problem: 'csrf' });
  });

  it.each(['https://evil.example.com', 'null'])('refuses forms of the origin %s', async (origin) => {
    const order = { csrfToken: session.csrfToken, item: 'Tea', quantity: '1' };
    const signIn = { email: ada.email, password: PASSWORD };
    for (const answer of [
      await submit(browser(), '/orders', order, origin),
      await submit(context.server.anonymous, '/sign-in', signIn, origin),
    ])
      expect(answer).toMatchObject({ status: 403, problem: 'csrf' });
  });

  it.each(['/orders', '/sign-in'])('lets the forms of %s be sent to this server only', async (path) => {
    const { headers } = await browser().get(path);
    expect(headers.get('content-security-policy')).toContain("form-action 'self'");
    // With the default no-referrer, browsers send forms with `Origin: null`.
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  it('are shown in the page as they are here', async () => {
    const code = await readFile(FIXTURE, 'utf8');
    const page = await readFile('docs/server-rendered.md', 'utf8');
    const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
    expect(blocks.length).toBeGreaterThan(2);
    const compact = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
    for (const block of blocks)
      for (const part of block.split(/^\/\/ …$|^ +\/\/ …$/m)) expect(compact(code)).toContain(compact(part));
  });
});
