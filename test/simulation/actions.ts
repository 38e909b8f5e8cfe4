import { expect } from '@jest/globals';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { basic, postForm } from '../support/form.js';
import type { Basis, Credential } from './model.js';
import { chosen, type Step, type World } from './world.js';

/** Does one thing on a node, and tells the model. It does nothing where nothing fits. */
type Action = (world: World, step: Step) => Promise<void>;

const SCOPES = ['probes:read', 'probes:write'];
const TOKEN_SCOPES = [...SCOPES, 'profile:read', 'sessions:write'];

const ownerOf = ({ model }: World, { who }: Step) => model.owners[who % model.owners.length]!;
const alive = ({ model }: World, kinds: readonly Credential['kind'][], { pick }: Step) =>
  chosen(
    model.credentials.filter((one) => kinds.includes(one.kind) && model.isAlive(one)),
    pick,
  );
const aliveKey = (world: World, step: Step): Basis | undefined => alive(world, ['api key'], step)?.basis;
const tokensOf = ({ model }: World, { pick }: Step, least: number) =>
  chosen(
    model.bases.filter((one) => one.over === undefined && one.refreshTokens.length >= least),
    pick,
  );

const signInByToken =
  (format: 'jwt' | 'opaque'): Action =>
  async (world, step) => {
    const fields = { format, ...(step.pick % 2 === 0 && { scope: TOKEN_SCOPES.join(' ') }) };
    const answer = await world.signIn(ownerOf(world, step), step.node, '/v1/tokens', fields);
    if (!answer) return;
    const client = world.cluster.client(step.node, { Authorization: `Bearer ${answer.body.access_token}` });
    const { body } = await world.call(client, 'GET', '/v1/sessions/current');
    world.addTokens(world.addBasis(ownerOf(world, step), body.id), format, answer);
  };

export const ACTIONS: Record<string, { readonly weight: number; readonly act: Action }> = {
  'sign in by cookie': {
    weight: 4,
    act: async (world, step) => void (await world.session(ownerOf(world, step), step.node)),
  },
  'sign in by JWT': { weight: 4, act: signInByToken('jwt') },
  'sign in by opaque token': { weight: 4, act: signInByToken('opaque') },

  refresh: {
    weight: 6,
    act: async (world, step) => {
      const basis = tokensOf(world, step, 1);
      if (!basis) return;
      const refreshToken = basis.refreshTokens.at(-1)!;
      const answer = await world.call(world.cluster.client(step.node), 'POST', '/v1/tokens/refresh', {
        body: { refreshToken },
      });
      expect(answer.status).toBe(200);
      const former = world.model.credentials.filter((one) => one.basis === basis);
      // A refresh can replace an opaque access token.
      for (const one of former) if (one.kind === 'opaque') one.isOpen = true;
      world.addTokens(basis, former[0]!.kind as 'jwt' | 'opaque', answer);
    },
  },
  'use an old refresh token': {
    weight: 2,
    act: async (world, step) => {
      const basis = tokensOf(world, step, 3);
      if (!basis) return;
      const body = { refreshToken: basis.refreshTokens.at(-3) };
      const answer = await world.call(world.cluster.client(step.node), 'POST', '/v1/tokens/refresh', {
        body,
      });
      expect(answer).toMatchObject({ status: 401, problem: 'invalid-refresh-token' });
      world.model.end(basis);
    },
  },

  'sign out': {
    weight: 3,
    act: async (world, step) => {
      const credential = alive(world, ['session', 'jwt', 'opaque'], step);
      if (!credential) return;
      const client = world.cluster.client(step.node, credential.headers);
      expect((await world.call(client, 'DELETE', '/v1/sessions/current')).status).toBe(204);
      world.model.end(credential.basis);
    },
  },
  'end all other sign-ins': {
    weight: 1,
    act: async (world, step) => {
      const session = await world.session(ownerOf(world, step), step.node);
      if (!session) return;
      const client = world.cluster.client(step.node + 1, session.headers);
      expect((await world.call(client, 'DELETE', '/v1/sessions')).status).toBe(204);
      world.model.endSignIns(session.basis.owner, session.basis);
    },
  },
  'change the password': {
    weight: 2,
    act: async (world, step) => {
      const session = await world.session(ownerOf(world, step), step.node);
      if (!session) return;
      const { owner } = session.basis;
      const newPassword = `a password of ${step.pick} and ${world.model.bases.length} things`;
      const body = { currentPassword: owner.password, newPassword };
      const client = world.cluster.client(step.node, session.headers);
      const answer = await world.call(client, 'PUT', '/v1/users/me/password', { body });
      expect(answer.status).toBe(200);
      owner.password = newPassword;
      world.model.endSignIns(owner, session.basis);
      session.over = performance.now();
      world.addSession(session.basis, answer);
    },
  },
  'enrol an authenticator app': {
    weight: 1,
    act: async (world, step) => {
      const owner = ownerOf(world, step);
      const session = owner.codeAt ? undefined : await world.session(owner, step.node);
      if (!session) return;
      const client = world.cluster.client(step.node, session.headers);
      const app = new AuthenticatorApp((await world.call(client, 'POST', '/v1/mfa/totp')).body.secret);
      const code = app.codeAt(new Date(world.model.now() * 1000));
      const answer = await world.call(client, 'PUT', '/v1/mfa/totp', { body: { code } });
      expect(answer.status).toBe(200);
      owner.codeAt = (at) => app.codeAt(at);
      session.over = performance.now();
      world.addSession(session.basis, answer);
    },
  },

  'create a key': {
    weight: 4,
    act: async (world, step) => {
      const session = await world.session(ownerOf(world, step), step.node);
      if (!session) return;
      const client = world.cluster.client(step.node, session.headers);
      const body = { name: 'A key', scopes: SCOPES };
      world.addKey(session.basis.owner, await world.call(client, 'POST', '/v1/api-keys', { body }));
    },
  },
  'rotate a key': {
    weight: 2,
    act: async (world, step) => {
      const basis = aliveKey(world, step);
      const session = basis && (await world.session(basis.owner, step.node));
      if (!session) return;
      const overlapSeconds = step.pick % 2 === 0 ? 0 : 86_400;
      const client = world.cluster.client(step.node, session.headers);
      const path = `/v1/api-keys/${basis.id}/rotation`;
      const answer = await world.call(client, 'POST', path, { body: { overlapSeconds } });
      // At most two keys of a lineage work.
      if (answer.problem === 'rotation-conflict') return;
      expect(answer.status).toBe(201);
      if (overlapSeconds === 0) world.model.end(basis);
      world.addKey(basis.owner, answer);
    },
  },
  'narrow a key': {
    weight: 2,
    act: async (world, step) => {
      const basis = aliveKey(world, step);
      const session = basis && (await world.session(basis.owner, step.node));
      if (!session) return;
      const client = world.cluster.client(step.node, session.headers);
      const body = { scopes: ['probes:read'] };
      const answer = await world.call(client, 'PATCH', `/v1/api-keys/${basis.id}`, { body });
      expect(answer.status).toBe(200);
      const isNarrower = world.model.credentials.some(
        ({ basis: its, kind, scopes }) => its === basis && kind === 'api key' && scopes.length > 1,
      );
      if (isNarrower) world.model.narrow(basis, body.scopes);
    },
  },
  'delete a key': {
    weight: 2,
    act: async (world, step) => {
      const basis = aliveKey(world, step);
      const session = basis && (await world.session(basis.owner, step.node));
      if (!session) return;
      const client = world.cluster.client(step.node, session.headers);
      expect((await world.call(client, 'DELETE', `/v1/api-keys/${basis.id}`)).status).toBe(204);
      world.model.end(basis);
    },
  },
  'exchange a key': {
    weight: 4,
    act: async (world, step) => {
      const key = alive(world, ['api key'], step);
      if (!key) return;
      const { basis } = key;
      const answer = await postForm(
        world.cluster.client(step.node),
        '/oauth/token',
        { grant_type: 'client_credentials' },
        basic(basis.id, basis.key!),
      );
      expect(answer.status).toBe(200);
      world.add({
        kind: "key's jwt",
        basis,
        headers: { Authorization: `Bearer ${answer.body.access_token}` },
        scopes: key.scopes,
        expiresAt: world.model.now() + answer.body.expires_in,
      });
    },
  },
  "revoke a key's JWT": {
    weight: 1,
    act: async (world, step) => {
      const credential = alive(world, ["key's jwt"], step);
      if (!credential) return;
      const { basis, headers } = credential;
      const token = headers['Authorization']!.replace('Bearer ', '');
      const client = world.cluster.client(step.node);
      const answer = await postForm(client, '/oauth/revoke', { token }, basic(basis.id, basis.key!));
      expect(answer.status).toBe(200);
      credential.over = performance.now();
    },
  },

  'disable or enable a person': {
    weight: 2,
    act: async (world, step) => {
      const owner = ownerOf(world, step);
      const isDisabled = owner.disabledSince !== undefined;
      const admin = (await world.session(world.administrator, step.node))!;
      const client = world.cluster.client(step.node, admin.headers);
      const body = { status: isDisabled ? 'active' : 'disabled' };
      const answer = await world.call(client, 'PUT', `/v1/admin/users/${owner.id}/status`, { body });
      expect(answer.status).toBe(200);
      if (isDisabled) world.model.enable(owner);
      else world.model.disable(owner);
    },
  },

  'kill a node': { weight: 0.5, act: ({ cluster }, { node }) => cluster.kill(node) },
  'start the nodes that were killed': { weight: 1, act: ({ cluster }) => cluster.revive() },
  'cut a feed': { weight: 1, act: ({ cluster }, { node }) => cluster.cutFeed(node) },
  'let time pass': { weight: 1, act: (world, { pick }) => world.advance(30 + (pick % 300)) },
  'set a clock wrong': {
    weight: 1,
    act: ({ cluster, model }, { node, pick }) =>
      cluster.node(node).set(model.ahead * 1000 + (pick % 4000) - 2000),
  },
};
