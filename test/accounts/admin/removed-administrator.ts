import { meet, type Meeting } from '../../support/barrier.js';
import type { Answer, Client } from '../../support/client.js';
import { administer, type SignInKind, signInIdOf } from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
// /room
import type { Person } from '../../support/person.js';
import { PASSWORD, type TestServer } from '../../support/server.js';

// room: service-account-admin
const ACCOUNTS = '/v1/admin/service-accounts';
// /room

/** The administrator eve writes while somebody removes her. */
export class Stage {
  eve: Person;
  /** The client that writes, and the id of its sign-in. */
  acting: Client;
  signInId: string;
  /** Another sign-in of eve. */
  other: Client;
  // room: own-api-keys
  key: KeyClient;
  // /room
  // room: service-account-admin
  account: string;
  keyOfAccount: string;
  // /room
  // room: jwt
  kid: string;
  // /room

  private constructor(
    readonly server: TestServer,
    readonly admin: Client,
    readonly ada: Person,
  ) {}

  static async build(server: TestServer): Promise<Stage> {
    const admin = await administer(await server.administrator());
    const stage = new Stage(server, admin, await server.person());
    // room: service-account-admin
    stage.account = (await admin.post(ACCOUNTS, { name: 'Billing' })).body.id;
    const body = { name: 'x', scopes: ['probes:read'] };
    stage.keyOfAccount = (await admin.post(`${ACCOUNTS}/${stage.account}/api-keys`, body)).body.id;
    // /room
    // room: jwt
    stage.kid = (await admin.get('/v1/admin/signing-keys')).body.items[0].kid;
    // /room
    return stage;
  }

  /** A new eve. */
  async enter(by?: SignInKind): Promise<void> {
    this.eve = await this.server.administrator();
    this.other = await administer(this.eve, by);
    this.acting = await administer(this.eve, by);
    this.signInId = await signInIdOf(this.acting);
    // room: own-api-keys
    this.key = await apiKeyOf(this.eve, ['probes:read', 'probes:write']);
    // /room
  }

  setRoles(by: Client, roles: string[]): Promise<Answer> {
    return by.put(`/v1/admin/users/${this.eve.id}/roles`, { roles });
  }

  /** The removal waits at the row, then the write waits, and both continue in this order. */
  async race(removal: Removal, write: Write): Promise<Answer> {
    const [table, id] = removal.atSignIn ? ['sign_ins', this.signInId] : ['users', this.eve.id];
    const at: Meeting = { lock: `SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`, parameters: [id] };
    const [removed, written] = await meet(this.server, at, [() => removal.remove(this), () => write(this)]);
    if (removed!.status >= 300) throw new Error(`nobody was removed: ${JSON.stringify(removed!.body)}`);
    return written!;
  }

  /** Everything that the writes can change, except what the removal changes. */
  state(): Promise<unknown[]> {
    const { id } = this.eve;
    return Promise.all(
      [
        `SELECT id, roles, status FROM users WHERE id <> '${id}' ORDER BY id`,
        'SELECT id, password_hash FROM users ORDER BY id',
        `SELECT id, ended_at FROM sign_ins WHERE user_id <> '${id}' ORDER BY id`,
        // room: service-account-admin
        'SELECT id, name, status FROM service_accounts ORDER BY id',
        // /room
        // room: api-keys
        'SELECT id, name, scopes, revoked_at, rotated_to FROM api_keys ORDER BY id',
        // /room
        // room: jwt
        'SELECT kid, status FROM signing_keys ORDER BY kid',
        // /room
      ].map((statement) => this.server.query(statement)),
    );
  }
}

export type Write = (stage: Stage) => Promise<Answer>;

/** How eve is removed. The removal meets her write at the row of the user, or of the sign-in. */
export interface Removal {
  readonly atSignIn?: true;
  remove(stage: Stage): Promise<Answer>;
}

export const REMOVALS = {
  demoted: { remove: (stage) => stage.setRoles(stage.admin, []) },
  disabled: {
    remove: ({ admin, eve }) => admin.put(`/v1/admin/users/${eve.id}/status`, { status: 'disabled' }),
  },
  'signed out by an administrator': {
    remove: ({ admin, eve }) => admin.post(`/v1/admin/users/${eve.id}/sign-out`),
  },
  'signed out': { atSignIn: true, remove: ({ acting }) => acting.delete('/v1/sessions/current') },
  'signed out by another sign-in': {
    remove: ({ other, signInId }) => other.delete(`/v1/sessions/${signInId}`),
  },
  'signed in again, which ends copies of the credential': {
    remove: ({ acting }) => acting.post('/v1/sessions/current/reauthentication', { password: PASSWORD }),
  },
} satisfies Record<string, Removal>;

export const WRITES: Record<string, Write> = {
  'PUT /v1/admin/users/:id/roles': ({ acting, ada }) =>
    acting.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] }),
  'PUT /v1/admin/users/:id/status': ({ acting, ada }) =>
    acting.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' }),
  'POST /v1/admin/users/:id/sign-out': ({ acting, ada }) => acting.post(`/v1/admin/users/${ada.id}/sign-out`),
  'PUT /v1/users/me/password': ({ acting }) =>
    acting.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` }),
  'POST /v1/sessions/current/reauthentication': ({ acting }) =>
    acting.post('/v1/sessions/current/reauthentication', { password: PASSWORD }),
  'DELETE /v1/sessions': ({ acting }) => acting.delete('/v1/sessions'),
  'DELETE /v1/sessions/:id': async ({ acting, other }) =>
    acting.delete(`/v1/sessions/${await signInIdOf(other)}`),
  // room: own-api-keys
  'POST /v1/api-keys': ({ acting }) => acting.post('/v1/api-keys', { name: 'Mine', scopes: ['probes:read'] }),
  'PATCH /v1/api-keys/:id': ({ acting, key }) => acting.patch(`/v1/api-keys/${key.id}`, { name: 'Mine' }),
  'POST /v1/api-keys/:id/rotation': ({ acting, key }) => acting.post(`/v1/api-keys/${key.id}/rotation`),
  'DELETE /v1/api-keys/:id': ({ acting, key }) => acting.delete(`/v1/api-keys/${key.id}`),
  // /room
  // room: service-account-admin
  'POST /v1/admin/service-accounts': ({ acting }) => acting.post(ACCOUNTS, { name: 'Mine' }),
  'PATCH /v1/admin/service-accounts/:id': ({ acting, account }) =>
    acting.patch(`${ACCOUNTS}/${account}`, { name: 'Mine' }),
  'DELETE /v1/admin/service-accounts/:id': ({ acting, account }) => acting.delete(`${ACCOUNTS}/${account}`),
  'POST /v1/admin/service-accounts/:id/api-keys': ({ acting, account }) =>
    acting.post(`${ACCOUNTS}/${account}/api-keys`, { name: 'Mine', scopes: ['probes:read'] }),
  'PATCH /v1/admin/service-accounts/:id/api-keys/:keyId': ({ acting, account, keyOfAccount }) =>
    acting.patch(`${ACCOUNTS}/${account}/api-keys/${keyOfAccount}`, { name: 'Mine' }),
  'POST /v1/admin/service-accounts/:id/api-keys/:keyId/rotation': ({ acting, account, keyOfAccount }) =>
    acting.post(`${ACCOUNTS}/${account}/api-keys/${keyOfAccount}/rotation`),
  'DELETE /v1/admin/service-accounts/:id/api-keys/:keyId': ({ acting, account, keyOfAccount }) =>
    acting.delete(`${ACCOUNTS}/${account}/api-keys/${keyOfAccount}`),
  // /room
  // room: jwt
  'POST /v1/admin/signing-keys': ({ acting }) => acting.post('/v1/admin/signing-keys'),
  'DELETE /v1/admin/signing-keys/:kid': ({ acting, kid }) => acting.delete(`/v1/admin/signing-keys/${kid}`),
  // /room
};
