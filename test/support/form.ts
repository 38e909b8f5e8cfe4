import { type Answer, type Client, FORM } from './client.js';

/** Posts a form, as OAuth's endpoints take it. A list sends a field several times. */
export function postForm(
  client: Client,
  path: string,
  fields: Record<string, string | string[]>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const one of [value].flat()) form.append(name, one);
  return client.post(path, form.toString(), {
    headers: { 'Content-Type': FORM, ...headers },
  });
}

/** The header of HTTP Basic, encoded as RFC 6749 2.3.1 says. */
export const basic = (id: string, secret: string) => ({
  Authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});
