import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import {
  Authenticated,
  AUTHENTICATED,
  type AuthenticatedOptions,
  Public,
  PUBLIC,
} from '../../src/auth/authenticated.decorator.js';
import { principalOf } from '../../src/auth/current-principal.decorator.js';
import { Principal } from '../../src/auth/principal.js';

describe('@Authenticated() and @Public()', () => {
  const OPTIONS: AuthenticatedOptions = { modes: 'person', scopes: ['probes:read'], recentSignIn: true };

  @Authenticated(OPTIONS)
  class Room {
    @Public({ sameOrigin: true })
    door() {}

    @Public()
    window() {}

    wall() {}
  }

  it('store the declaration on the decorated class or method, unchanged', () => {
    expect(Reflect.getMetadata(AUTHENTICATED, Room)).toEqual(OPTIONS);
    expect(Reflect.getMetadata(PUBLIC, Room.prototype.door)).toEqual({ sameOrigin: true });
    expect(Reflect.getMetadata(PUBLIC, Room.prototype.window)).toEqual({});
  });

  it('leave nothing elsewhere', () => {
    expect(Reflect.getMetadataKeys(Room.prototype.wall)).toEqual([]);
    expect(Reflect.getMetadata(PUBLIC, Room)).toBeUndefined();
    expect(Reflect.getMetadata(AUTHENTICATED, Room.prototype.door)).toBeUndefined();
  });
});

const requestOf = (user: unknown) => ({ user }) as unknown as FastifyRequest;

describe('@CurrentPrincipal()', () => {
  it('gives the principal that the guard left', () => {
    const principal = new Principal({
      mode: 'a mode' as AuthMode,
      kind: 'machine',
      subject: 'a user',
      credentialId: 'a key',
      scopes: [],
    });
    expect(principalOf(requestOf(principal))).toBe(principal);
  });

  it.each([[undefined], [null], [{ userId: 'a user', kind: 'person' }], ['a user']])(
    'throws on %j',
    (user) => {
      expect(() => principalOf(requestOf(user))).toThrow('no principal');
    },
  );
});
