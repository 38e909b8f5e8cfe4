// Signs in, requests the paths that it reads from standard input, and signs out at the end of the input. The paths of one line
// are requested at the same time. EMAIL and PASSWORD come from the environment.
import { createInterface } from 'node:readline';
import { SignedOutError } from './api-error.js';
import { TokenClient } from './token-client.js';

const { EMAIL: email, PASSWORD: password, API_URL: url = 'http://localhost:3000' } = process.env;
if (!email || !password) throw new Error('EMAIL or PASSWORD is not set');

const client = new TokenClient({ url });
try {
  await client.signIn({ email, password });
  console.log('signed in');
  for await (const line of createInterface({ input: process.stdin })) {
    const paths = line.split(' ').filter(Boolean);
    const statuses = await Promise.all(paths.map(statusOf));
    for (const [index, path] of paths.entries()) console.log(`${statuses[index]} ${path}`);
  }
  await client.signOut();
  console.log('signed out');
} catch (error) {
  console.error(error instanceof SignedOutError ? 'The sign-in has ended. Sign in again.' : error);
  process.exitCode = 1;
}

async function statusOf(path: string): Promise<number> {
  const response = await client.fetch(path);
  await response.body?.cancel();
  return response.status;
}
