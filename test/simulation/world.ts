import { expect } from '@jest/globals';
import type { Answer, CallOptions, Client } from '../support/client.js';
import { Cluster, FEED_MAX_LAG_MS } from './cluster.js';
import { type Basis, type Credential, Model, type Owner } from './model.js';

const PRINCIPAL = '/v1/probes/principal';
/** A sign-in by cookie lasts longer than a simulation. */
const LONG = 7 * 86_400;

/** One random step. The numbers choose among what is there. */
export interface Step {
  readonly action: string;
  readonly node: number;
  readonly who: number;
  readonly pick: number;
}

export const chosen = <T>(from: readonly T[], pick: number): T | undefined =>
  from.length > 0 ? from[pick % from.length] : undefined;

/** The nodes, and what the simulation knows about them. */
export class World {
  readonly model = new Model();

  private constructor(
    readonly cluster: Cluster,
    readonly administrator: Owner,
  ) {
    this.model.ahead = cluster.ahead;
  }

  /** New people on running nodes. */
  static async of(cluster: Cluster, people: number): Promise<World> {
    await cluster.revive();
    const world = new World(cluster, await cluster.person('administrator'));
    for (let i = 0; i < people; i += 1) world.model.owners.push(await cluster.person('person'));
    return world;
  }

  /** Calls a node. No answer may be a fault of the server. */
  async call(client: Client, method: string, path: string, options?: CallOptions): Promise<Answer> {
    const answer = await client.call(method, path, options);
    if (answer.status >= 500)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer;
  }

  /** Signs a person in, with a code where one is needed. Undefined for a disabled person. */
  async signIn(owner: Owner, node: number, path: string, fields: object = {}): Promise<Answer | undefined> {
    const client = this.cluster.client(node);
    const { email, password, codeAt } = owner;
    let answer = await this.call(client, 'POST', path, { body: { email, password, ...fields } });
    if (owner.disabledSince !== undefined) {
      expect(answer).toMatchObject({ status: 401, problem: 'invalid-credential' });
      return undefined;
    }
    if (codeAt) {
      expect(answer).toMatchObject({ status: 401, problem: 'mfa-required' });
      // Each code works once.
      await this.advance(31);
      const body = { mfaToken: answer.body.mfaToken, totp: codeAt(new Date(this.model.now() * 1000)) };
      answer = await this.call(client, 'POST', path, { body });
    }
    expect(answer.status).toBe(201);
    return answer;
  }

  /** A new session, for what needs a recent sign-in. */
  async session(owner: Owner, node: number): Promise<Credential | undefined> {
    const answer = await this.signIn(owner, node, '/v1/sessions');
    return answer && this.addSession(this.addBasis(owner, answer.body.session.id), answer);
  }

  addSession(basis: Basis, { cookies, body }: Answer): Credential {
    const headers = { Cookie: `__Host-session=${cookies['__Host-session']}`, 'X-CSRF-Token': body.csrfToken };
    return this.add({ kind: 'session', basis, headers, scopes: ['*'], expiresAt: this.model.now() + LONG });
  }

  addTokens(basis: Basis, kind: 'jwt' | 'opaque', { body }: Answer): Credential {
    basis.refreshTokens.push(body.refresh_token);
    return this.add({
      kind,
      basis,
      headers: { Authorization: `Bearer ${body.access_token}` },
      scopes: body.scope.split(' '),
      expiresAt: this.model.now() + body.expires_in,
    });
  }

  addKey(owner: Owner, { body }: Answer): Credential {
    const { id, key, scopes } = body;
    const basis = this.addBasis(owner, id, key);
    const headers = { 'X-API-Key': key };
    return this.add({ kind: 'api key', basis, headers, scopes, expiresAt: Infinity });
  }

  addBasis(owner: Owner, id: string, key?: string): Basis {
    const basis = { owner, id, refreshTokens: [], ...(key !== undefined && { key }) };
    this.model.bases.push(basis);
    return basis;
  }

  add(credential: Credential): Credential {
    this.model.credentials.push(credential);
    return credential;
  }

  async advance(seconds: number): Promise<void> {
    await this.cluster.advance(seconds);
    this.model.ahead = this.cluster.ahead;
  }

  /** Asks a node about a credential. */
  async check(credential: Credential, node: number): Promise<void> {
    const { model, cluster } = this;
    const isAlive = model.isAlive(credential);
    const isOver = model.isOver(credential, FEED_MAX_LAG_MS);
    const allowed = model.mayDo(credential, FEED_MAX_LAG_MS);
    const { name } = cluster.node(node);
    const { status, body } = await this.call(cluster.client(node, credential.headers), 'GET', PRINCIPAL);
    const found = `${credential.kind} at ${name}: ${status}`;
    if (isAlive) expect(found).toBe(`${credential.kind} at ${name}: 200`);
    if (isOver) expect(found).toBe(`${credential.kind} at ${name}: 401`);
    if (status !== 200) return;
    const { owner } = credential.basis;
    expect(body.subject).toBe(owner.id);
    if (allowed[0] !== '*')
      expect(body.scopes.filter((scope: string) => !allowed.includes(scope))).toEqual([]);
    else if (owner !== this.administrator)
      expect(body.scopes.filter((scope: string) => scope.startsWith('admin:'))).toEqual([]);
  }
}
