import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../support/client.js';
import { basic, postForm } from '../support/form.js';
import { apiKeyOf, KeyClient } from '../support/modes/api-key.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { PASSWORD } from '../support/server.js';
import { bearer, claimsOf, kidOf, PATH, three } from './three-nodes.js';

/** What is shown to the other nodes, and what belongs to it. */
interface Shown {
  credential: Client;
  accessToken?: string;
  refreshToken?: string;
  key?: KeyClient;
  /** The id of the service account. */
  account?: string;
}

interface Scene extends Required<Shown> {
  ada: Person;
}

const KEY_SCOPES = ['orders:read', 'profile:read'];
const ACCOUNTS = '/v1/admin/service-accounts';

const MODES = {
  session: async (ada) => ({ credential: await sessionOf(ada) }),
  jwt: (ada) => tokens(ada, 'jwt'),
  opaque: (ada) => tokens(ada, 'opaque'),
  'api key': async (ada) => {
    const key = await apiKeyOf(ada, KEY_SCOPES);
    return { credential: key, key };
  },
  "key's jwt": async (ada) => {
    const key = await apiKeyOf(ada, KEY_SCOPES);
    const accessToken = await three.exchange(key);
    return { credential: bearer(accessToken), accessToken, key };
  },
  "service's key": async () => {
    const { account, key } = await serviceKey();
    return { credential: key, key, account };
  },
  "its key's jwt": async () => {
    const { account, key } = await serviceKey();
    const accessToken = await three.exchange(key);
    return { credential: bearer(accessToken), accessToken, key, account };
  },
} satisfies Record<string, (ada: Person) => Promise<Shown>>;
type Mode = keyof typeof MODES;

async function tokens({ email, password }: Person, format: string): Promise<Shown> {
  const { body } = await three.server.anonymous.post('/v1/tokens', { email, password, format });
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  return { credential: bearer(accessToken), accessToken, refreshToken };
}

async function serviceKey(): Promise<{ account: string; key: KeyClient }> {
  const account: string = (await three.admin.post(ACCOUNTS, { name: 'Billing' })).body.id;
  const made = await three.admin.post(`${ACCOUNTS}/${account}/api-keys`, { name: 'x', scopes: KEY_SCOPES });
  return { account, key: KeyClient.from(three.server.url, three.server.secrets, made) };
}

/** A way to take a credential back, on the first node. */
interface Way {
  way: string;
  modes: readonly Mode[];
  revoke(scene: Scene): Promise<Answer>;
  /** Of `revoke`, where it is no success. */
  answers?: number;
  /** What the others answer, where it is not 401. */
  refusals?: Partial<Record<Mode, number>>;
}

const SIGN_INS = ['session', 'jwt', 'opaque'] as const;
const PAIRS = ['jwt', 'opaque'] as const;
const KEYS = ['api key', "key's jwt"] as const;
const SERVICE = ["service's key", "its key's jwt"] as const;

const onA = (credential?: Client) => three.at(0, credential);
const otherSession = async ({ ada }: Scene) => onA(await sessionOf(ada));
const refresh = (refreshToken: string) => onA().post('/v1/tokens/refresh', { refreshToken });

async function resetPassword({ ada: { email } }: Scene, fields: object = {}): Promise<Answer> {
  const { anonymous } = three.server;
  await anonymous.post('/v1/password-resets', { email });
  const token = await three.server.mailedToken(email);
  return onA().put('/v1/password-resets', { token, newPassword: `another ${PASSWORD}`, ...fields });
}

const WAYS: Way[] = [
  {
    way: 'signed out',
    modes: SIGN_INS,
    revoke: ({ credential }) => onA(credential).delete('/v1/sessions/current'),
  },
  {
    way: 'ended by its id',
    modes: SIGN_INS,
    revoke: async (scene) => {
      const { body } = await onA(scene.credential).get('/v1/sessions/current');
      return (await otherSession(scene)).delete(`/v1/sessions/${body.id}`);
    },
  },
  {
    way: 'all others ended',
    modes: SIGN_INS,
    revoke: async (scene) => (await otherSession(scene)).delete('/v1/sessions'),
  },
  {
    way: 'password changed elsewhere',
    modes: SIGN_INS,
    revoke: async (scene) =>
      (await otherSession(scene)).put('/v1/users/me/password', {
        currentPassword: PASSWORD,
        newPassword: `another ${PASSWORD}`,
      }),
  },
  {
    way: 'password reset',
    modes: SIGN_INS,
    revoke: (scene) => resetPassword(scene),
  },
  {
    way: 'password reset, and keys revoked',
    modes: KEYS,
    revoke: (scene) => resetPassword(scene, { revokeApiKeys: true }),
  },
  {
    way: 'account deleted',
    modes: [...SIGN_INS, ...KEYS],
    revoke: async (scene) => (await otherSession(scene)).delete('/v1/users/me'),
  },
  {
    way: 'renewed by reauthentication',
    modes: SIGN_INS,
    revoke: ({ credential }) =>
      onA(credential).post('/v1/sessions/current/reauthentication', { password: PASSWORD }),
  },
  {
    way: 'signed in again over it',
    modes: ['session'],
    revoke: ({ ada: { email, password }, credential }) =>
      onA(credential).post('/v1/sessions', { email, password }),
  },
  {
    way: 'user disabled',
    modes: [...SIGN_INS, ...KEYS],
    revoke: ({ ada }) => three.admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' }),
  },
  {
    way: 'roles changed',
    modes: SIGN_INS,
    revoke: ({ ada }) => three.admin.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] }),
  },
  {
    way: 'signed out by an administrator',
    modes: SIGN_INS,
    revoke: ({ ada }) => three.admin.post(`/v1/admin/users/${ada.id}/sign-out`),
  },
  {
    way: 'POST /oauth/revoke',
    modes: PAIRS,
    revoke: ({ accessToken: token }) => postForm(onA(), '/oauth/revoke', { token }),
  },
  {
    way: 'POST /oauth/revoke by its key',
    modes: ["key's jwt"],
    revoke: ({ accessToken: token, key }) =>
      postForm(onA(), '/oauth/revoke', { token }, basic(key.id, key.key)),
  },
  {
    way: 'POST /oauth/revoke of its refresh token',
    modes: PAIRS,
    revoke: ({ refreshToken: token }) => postForm(onA(), '/oauth/revoke', { token }),
  },
  {
    way: 'its refresh token used twice',
    modes: PAIRS,
    answers: 401,
    revoke: async ({ refreshToken }) => {
      const successor = await refresh(refreshToken);
      // Used, so that who comes late gets it no more.
      await refresh(successor.body.refresh_token);
      return refresh(refreshToken);
    },
  },
  {
    way: 'key deleted',
    modes: KEYS,
    revoke: async (scene) => (await otherSession(scene)).delete(`/v1/api-keys/${scene.key.id}`),
  },
  {
    way: 'key narrowed',
    modes: KEYS,
    refusals: { 'api key': 403 },
    revoke: async (scene) =>
      (await otherSession(scene)).patch(`/v1/api-keys/${scene.key.id}`, { scopes: ['profile:read'] }),
  },
  {
    way: 'key made to expire',
    modes: ["key's jwt"],
    revoke: async (scene) => {
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      return (await otherSession(scene)).patch(`/v1/api-keys/${scene.key.id}`, { expiresAt });
    },
  },
  {
    way: 'service account disabled',
    modes: SERVICE,
    revoke: ({ account }) => three.admin.patch(`${ACCOUNTS}/${account}`, { status: 'disabled' }),
  },
  {
    way: 'service account deleted',
    modes: SERVICE,
    revoke: ({ account }) => three.admin.delete(`${ACCOUNTS}/${account}`),
  },
  {
    way: "service's key deleted",
    modes: SERVICE,
    revoke: ({ account, key }) => three.admin.delete(`${ACCOUNTS}/${account}/api-keys/${key.id}`),
  },
  {
    way: 'signing key revoked',
    modes: ['jwt', "key's jwt"],
    revoke: ({ accessToken }) => three.admin.delete(`/v1/admin/signing-keys/${kidOf(accessToken)}`),
  },
];

const CASES = WAYS.flatMap((way) => way.modes.map((mode) => ({ ...way, mode })));

describe('of three nodes', () => {
  const measured: { way: string; mode: Mode; ms: number }[] = [];
  let bystanders: Client[];

  beforeAll(async () => {
    const bob = await three.server.person();
    bystanders = [
      await sessionOf(bob),
      await apiKeyOf(bob, ['orders:read']),
      (await tokens(bob, 'opaque')).credential,
    ];
  });

  afterAll(() => console.info(tableOf(measured)));

  it('each is a process', () => {
    expect(new Set([process.pid, ...three.nodes.map((node) => node.pid)]).size).toBe(4);
  });

  it.each(CASES)('the others refuse: $mode, $way', async ({ mode, way, revoke, answers, refusals }) => {
    const ada = await three.server.person();
    const shown: Shown = await MODES[mode](ada);
    const { credential } = shown;
    // In the memory of both, if anything is.
    for (const node of [1, 1, 2, 2]) expect((await three.at(node, credential).get(PATH)).status).toBe(200);

    const answer = await revoke({ ada, ...(shown as Required<Shown>) });
    const answeredAt = performance.now();
    if (answers === undefined) expect(answer.status).toBeLessThan(300);
    else expect(answer.status).toBe(answers);
    const results = await Promise.all([1, 2].map((node) => three.refusal(node, credential, answeredAt)));
    const expected = refusals?.[mode] ?? 401;
    expect(results.map(({ status }) => status)).toEqual([expected, expected]);
    measured.push({ way, mode, ms: Math.max(...results.map(({ ms }) => ms)) });
    // And for good, the first one too.
    for (const node of [0, 1, 2]) expect((await three.at(node, credential).get(PATH)).status).toBe(expected);
  });

  it('none refuses who has nothing to do with it', async () => {
    for (const bystander of bystanders)
      for (const node of [0, 1, 2]) expect((await three.at(node, bystander).get(PATH)).status).toBe(200);
  });

  it("none makes a key's JWT that outlives the key", async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const key = await apiKeyOf(await three.server.person(), KEY_SCOPES, { expiresAt });
    for (const node of [0, 1, 2]) {
      const { exp } = claimsOf(await three.exchange(key, node));
      expect(exp * 1000).toBeLessThanOrEqual(Date.parse(expiresAt));
      expect(exp * 1000).toBeGreaterThan(Date.parse(expiresAt) - 1_000);
    }
  });
});

const line = (way: string, cells: string[]) =>
  `  ${way.padEnd(40)}${cells.map((cell) => cell.padStart(14)).join('')}`;

/** Milliseconds by way and mode. */
function tableOf(measured: readonly { way: string; mode: Mode; ms: number }[]): string {
  const modes = Object.keys(MODES) as Mode[];
  const rows = WAYS.map(({ way }) =>
    line(
      way,
      modes.map((mode) => measured.find((one) => one.way === way && one.mode === mode)?.ms.toFixed(1) ?? ''),
    ),
  );
  const all = measured.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return [
    'Milliseconds from the answer of the revoking node to the first refusal on both others:',
    line('', modes),
    ...rows,
    line('median', [all[Math.floor(all.length / 2)]?.toFixed(1) ?? '']),
  ].join('\n');
}
