import { scrypt, timingSafeEqual } from 'node:crypto';

export interface ScryptHash {
  /** log2 of the cost N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** Bytes for N + p blocks of 128 * r, and as much again for the rest. The limit of Node is 32 MiB. */
const memoryOf = (N: number, r: number, p: number) => 2 * 128 * r * (N + p) + 2 ** 20;

/** Whether scrypt (RFC 7914) makes the key of a hash from a password. The caller limits the parameters. */
export function scryptMatches(password: string, { ln, r, p, salt, key }: ScryptHash): Promise<boolean> {
  const N = 2 ** ln;
  return new Promise((resolve, reject) =>
    scrypt(password, salt, key.length, { N, r, p, maxmem: memoryOf(N, r, p) }, (error, derived) => {
      if (error) reject(error);
      else resolve(timingSafeEqual(derived, key));
    }),
  );
}
