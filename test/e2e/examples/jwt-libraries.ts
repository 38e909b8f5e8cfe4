import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import * as jose from 'jose';
import jsonwebtoken, { type Algorithm } from 'jsonwebtoken';
import { useServer } from '../../support/server.js';

/** What a service knows that verifies a token with a library. */
interface Task {
  token: string;
  issuer: string;
  audience: string;
  algorithm: 'ES256' | 'EdDSA';
  jwksUri: string;
}

type Jwk = JsonWebKey & { kid: string };

const readJwks = async ({ jwksUri }: Task) => (await (await fetch(jwksUri)).json()) as { keys: Jwk[] };

/** The published key that the token names, as libraries take it that know no JWK. */
async function readPem(task: Task): Promise<string> {
  const { kid } = JSON.parse(Buffer.from(task.token.split('.')[0]!, 'base64url').toString());
  const key = (await readJwks(task)).keys.find((jwk) => jwk.kid === kid)!;
  return createPublicKey({ key, format: 'jwk' }).export({ format: 'pem', type: 'spki' }).toString();
}

/** One library of each core. Each answers the `sub` of the token, or throws. */
const LIBRARIES: Record<string, (task: Task) => Promise<unknown>> = {
  jose: async ({ token, issuer, audience, algorithm, jwksUri }) => {
    const keys = jose.createRemoteJWKSet(new URL(jwksUri));
    const options = { issuer, audience, algorithms: [algorithm], typ: 'at+jwt' };
    return (await jose.jwtVerify(token, keys, options)).payload.sub;
  },
  jsonwebtoken: async (task) => {
    const { token, issuer, audience, algorithm } = task;
    const algorithms = [algorithm as Algorithm];
    return jsonwebtoken.verify(token, await readPem(task), { issuer, audience, algorithms }).sub;
  },
  'fast-jwt': async (task) => {
    const { token, issuer, audience, algorithm } = task;
    const key = await readPem(task);
    const verify = createVerifier({ key, algorithms: [algorithm], allowedIss: issuer, allowedAud: audience });
    return verify(token).sub;
  },
  'aws-jwt-verify': async (task) => {
    const { token, issuer, audience, jwksUri } = task;
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri });
    // By itself it reads keys over https only.
    verifier.cacheJwks((await readJwks(task)) as Parameters<typeof verifier.cacheJwks>[0]);
    return verifier.verifySync(token).sub;
  },
};

/** The cells of ES256 and EdDSA in the README, by the first library of each line. */
async function documented(): Promise<Record<string, { ES256: boolean; EdDSA: boolean }>> {
  const readme = await readFile('examples/resource-server/README.md', 'utf8');
  const rows = [...readme.matchAll(/^\| `([^`]+)`[^|]*\| (yes|no) +\| (yes|no) +\|/gm)];
  return Object.fromEntries(
    rows.map(([, name, es256, edDsa]) => [name, { ES256: es256 === 'yes', EdDSA: edDsa === 'yes' }]),
  );
}

it('the README names every library that is tried, and no other', async () => {
  expect(Object.keys(await documented()).toSorted()).toEqual(Object.keys(LIBRARIES).toSorted());
});

describe.each(['ES256', 'EdDSA'] as const)('a token that is signed with %s', (algorithm) => {
  const context = useServer({ env: { JWT_ALGORITHM: algorithm } });
  let task: Task;
  let subject: string;

  beforeAll(async () => {
    const { server } = context;
    const ada = await server.person();
    const { ISSUER: issuer } = server.config;
    const jwksUri = `${server.url}/.well-known/jwks.json`;
    task = { token: (await ada.jwt()).accessToken, issuer, audience: issuer, algorithm, jwksUri };
    subject = ada.id;
  });

  it.each(Object.keys(LIBRARIES))('is verified by %s if the README says so', async (name) => {
    const verify = LIBRARIES[name]!;
    const { [name]: support } = await documented();
    if (!support![algorithm]) return expect(verify(task)).rejects.toThrow();
    expect(await verify(task)).toBe(subject);
    // It did verify: the same claims under another signature are refused.
    const { accessToken } = await (await context.server.person()).jwt();
    const token = [...task.token.split('.').slice(0, 2), accessToken.split('.')[2]].join('.');
    await expect(verify({ ...task, token })).rejects.toThrow();
  });
});
