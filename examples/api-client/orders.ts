// Prints the orders that a key may see. API_KEY is in the environment, never in the source.
import { setTimeout } from 'node:timers/promises';

const { API_KEY, API_URL = 'http://localhost:3000' } = process.env;
if (!API_KEY) throw new Error('API_KEY is not set');
const headers = { 'X-API-Key': API_KEY };

/** Calls the API, and where the key's limit is used up again, as soon as the answer says. */
async function get(path: string, attempts = 5): Promise<any> {
  // No redirect: fetch would send the key on to wherever it leads.
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(API_URL + path, { headers, redirect: 'error', signal });
  if (response.status === 429 && attempts > 1) {
    await response.body?.cancel();
    await setTimeout(Number(response.headers.get('Retry-After') ?? 1) * 1000);
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
