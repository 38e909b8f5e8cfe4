import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../../src/platform/config/config.js';
import { unseal } from '../../../../src/platform/crypto/sealing.js';
import { RevocationsService } from '../../../../src/platform/revocations/revocations.service.js';
import { reencryptKeys } from '../../../../src/modes/jwt/signing-keys/signing-keys.commands.js';
import { SigningKeyRotation } from '../../../../src/modes/jwt/signing-keys/signing-keys.rotation.js';
import { built } from '../../../support/build.js';
import { createDatabase, type TestDatabase } from '../../../support/databases.js';
import { InProcessServer } from '../../../support/in-process.js';
import { jwtOf, type TokenClient } from '../../../support/modes/jwt.js';

const OLD = 'the-old-secret-of-these-tests-of-32-characters';
const NEW = 'the-new-secret-of-these-tests-of-32-characters';

describe('ENCRYPTION_SECRETS', () => {
  const nodes: InProcessServer[] = [];
  let database: TestDatabase;
  let token: TokenClient;

  const start = async (secrets: string): Promise<InProcessServer> => {
    const node = await InProcessServer.start({ database, env: { ENCRYPTION_SECRETS: secrets } });
    nodes.push(node);
    return node;
  };
  const sealed = (): Promise<{ kid: string; sealed: Buffer }[]> =>
    nodes[0]!.dataSource.query('SELECT kid, private_jwk_sealed AS sealed FROM signing_keys ORDER BY kid');
  /** What `npm run` runs, against the same database. */
  const command = async (name: string, secrets: string) => {
    const child = spawn(process.execPath, [built('src/commands/run.js'), name], {
      env: { ...process.env, DATABASE_URL: database.url, ENCRYPTION_SECRETS: secrets },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, output };
  };
  const whoami = async (node: InProcessServer): Promise<number> => {
    const client = node.anonymous.with({ Authorization: `Bearer ${token.accessToken}` });
    return (await client.get('/v1/users/me')).status;
  };

  beforeAll(async () => {
    database = await createDatabase();
    token = await jwtOf(await (await start(OLD)).person());
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await database.drop();
  });

  it('is left alone where a key cannot be opened: all are sealed anew, or none', async () => {
    const { dataSource, app } = nodes[0]!;
    const before = await sealed();
    const flip = `UPDATE signing_keys SET private_jwk_sealed =
      set_byte(private_jwk_sealed, 20, get_byte(private_jwk_sealed, 20) # 1) WHERE kid = $1`;
    await dataSource.query(flip, [before[1]!.kid]);
    const failure: unknown = await reencryptKeys(dataSource, app.get(RevocationsService), [NEW, OLD]).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).not.toContain(OLD);
    await dataSource.query(flip, [before[1]!.kid]);
    expect(await sealed()).toEqual(before);
  });

  it('is rotated: with both secrets all keys are sealed under the first', async () => {
    const both = await start(`${NEW},${OLD}`);
    expect(await command('signing-keys:reencrypt', `${NEW},${OLD}`)).toEqual({
      code: 0,
      output: '2 signing keys are now encrypted under the first of ENCRYPTION_SECRETS.\n',
    });
    for (const { kid, sealed: text } of await sealed()) {
      expect(unseal(text, [NEW], 'signing-key', kid)).toContain('"d"');
      expect(() => unseal(text, [OLD], 'signing-key', kid)).toThrow('cannot be opened');
    }
    expect(await whoami(both)).toBe(200);
  });

  it('then needs the new secret only: tokens from before are taken', async () => {
    const after = await start(NEW);
    expect(await whoami(after)).toBe(200);
    await expect(start(OLD)).rejects.toThrow('ENCRYPTION_SECRETS');
  });

  it('seals what `npm run signing-keys:rotate` makes, which running nodes take at once', async () => {
    const [, both] = nodes as [InProcessServer, InProcessServer];
    const kids = async (): Promise<string[]> =>
      (await both.anonymous.get('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
    const [, next] = (await kids()) as [string, string];
    expect(await command('signing-keys:rotate', NEW)).toEqual({
      code: 0,
      output: expect.stringMatching(/^The signing key [\w-]{43} is now active\.\n$/),
    });
    expect(await whoami(both)).toBe(200);
    expect(await kids()).toHaveLength(3);
    expect(await kids()).toContain(next);
  });

  it('may be put right while a node runs that cannot open the keys: it signs again', async () => {
    const [old, both] = nodes as [InProcessServer, InProcessServer];
    const { email, password } = await old.person();
    const signIn = async () => (await old.anonymous.post('/v1/tokens', { email, password })).status;
    await both.app.get(SigningKeyRotation).rotate();
    while ((await signIn()) === 201);
    expect(await signIn()).toBe(500);
    await reencryptKeys(old.dataSource, old.app.get(RevocationsService), [OLD, NEW]);
    expect(await signIn()).toBe(201);
  });
});
