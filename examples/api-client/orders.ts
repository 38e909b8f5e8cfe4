// Prints the orders that a key can read. The key comes from the environment variable API_KEY.
import { setTimeout } from 'node:timers/promises';

const { API_KEY, API_URL = 'http://localhost:3000' } = process.env;
if (!API_KEY) throw new Error('API_KEY is not set');
const headers = { 'X-API-Key': API_KEY };

/** Calls the API. After 429 and 503, it waits as long as Retry-After says and tries again. */
async function get(path: string, attempts = 5): Promise<any> {
  // No redirects, because fetch would send the key to the new location.
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(API_URL + path, { headers, redirect: 'error', signal });
  if ([429, 503].includes(response.status) && attempts > 1) {
    await response.body?.cancel();
    const seconds = Number(response.headers.get('Retry-After') ?? 1);
    // Up to a second more, so that parallel clients do not come back at the same moment.
    await setTimeout((seconds + Math.random()) * 1000);
    return get(path, attempts - 1);
  }
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

for (let cursor: string | null = ''; cursor !== null;) {
  const page = await get(`/v1/orders?limit=2${cursor && `&cursor=${cursor}`}`);
  for (const { quantity, item } of page.items) console.log(`${quantity} x ${item}`);
  cursor = page.nextCursor;
}
