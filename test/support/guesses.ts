import type { Answer, Client } from './client.js';
import { type SignInKind, signIns } from './modes/any.js';
import { PASSWORD } from './people.js';

let addresses = 0;
/** An address that no test has used. */
export const newAddress = (): string => {
  addresses += 1;
  return `198.18.${addresses >> 8}.${addresses & 255}`;
};

/** A client with an address, for a server that trusts the loopback interface as a proxy. */
export const from = (client: Client, address: string, device?: string): Client =>
  client.with({
    'X-Forwarded-For': address,
    ...(device !== undefined && { Cookie: `__Host-device=${device}` }),
  });

interface Guess {
  readonly email: string;
  readonly address?: string;
  readonly device?: string | undefined;
  readonly password?: string;
  /** How the person signs in. */
  readonly by?: SignInKind;
}

/** A sign-in from an unknown address and device, unless it names them. */
export const signIn = (
  client: Client,
  { email, address = newAddress(), device, password = PASSWORD, by = signIns[0]! }: Guess,
): Promise<Answer> => from(client, address, device).post(by.path, { email, password, ...by.fields });

/** A guess that is wrong. */
export const guess = (client: Client, options: Guess): Promise<Answer> =>
  signIn(client, { password: 'not this password', ...options });

/** The statuses of several guesses, one after the other. */
export async function guesses(client: Client, times: number, options: Guess): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i += 1) statuses.push((await guess(client, options)).status);
  return statuses;
}

export const times = (count: number, status: number): number[] => Array<number>(count).fill(status);

/** Runs `work` for 0 to `total` - 1, ten at a time: each count must arrive within a second, also on a slow machine. */
export async function many<T>(total: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < total) results.push(await work(next++));
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  return results;
}
