import { afterAll, describe, expect, it } from '@jest/globals';
import { unseal } from '../../../src/platform/crypto/sealing.js';
import type { TotpService } from '../../../src/extras/mfa/totp.service.js';
import { createDatabase } from '../../support/databases.js';
import { sessionOf } from '../../support/modes/session.js';
import { enrolTotp, sessionWithTotp } from '../../support/second-factors.js';
import { TestServer } from '../../support/server.js';

const OLD = 'the-old-secret-of-these-tests-of-32-characters';
const NEW = 'the-new-secret-of-these-tests-of-32-characters';

describe('a change of ENCRYPTION_SECRETS', () => {
  const servers: TestServer[] = [];
  const drops: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const server of servers) await server.stop();
    for (const drop of drops) await drop();
  });

  it('keeps authenticator apps working, before and after their secrets are encrypted again', async () => {
    const database = await createDatabase();
    drops.push(() => database.drop());
    const start = async (secrets: string) => {
      servers.push(await TestServer.start({ database, env: { ENCRYPTION_SECRETS: secrets } }));
      return servers.at(-1)!;
    };
    const before = await start(OLD);
    const ada = await before.person();
    const { app } = await enrolTotp(before, await sessionOf(ada));
    const after = await start(`${NEW},${OLD}`);
    const same = ada.at(after);
    await sessionWithTotp(after, same, app);

    expect(await after.provider<TotpService>('TotpService').reencrypt()).toBe(1);
    const [{ sealed }] = await after.query('SELECT secret_sealed AS sealed FROM totp_factors');
    expect(unseal(sealed, [NEW], 'totp-secret', ada.id)).toMatch(/^[A-Z2-7]{32}$/);
    expect(() => unseal(sealed, [OLD], 'totp-secret', ada.id)).toThrow('cannot be opened');
    await sessionWithTotp(after, same, app);
  });
});
