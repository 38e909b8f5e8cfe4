import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { readPolicy } from '../../src/auth/access-policy.js';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import { Authenticated, type AuthenticatedOptions, Public } from '../../src/auth/authenticated.decorator.js';
import { type ModeDefinition, ModeRegistry } from '../../src/auth/mode-registry.js';
import type { Scope } from '../../src/auth/scopes.js';
import '../../src/rooms.js';
import '../support/probe/probe.module.js';

/** A badge carries people, a robot machines, a ticket both. */
const registry = new ModeRegistry();
const register = (name: string, carries: ModeDefinition['carries'], holds: (scope: Scope) => boolean) =>
  registry.register({
    name: name as AuthMode,
    scheme: 'Bearer',
    carries,
    ambient: false,
    canHold: holds,
    credentialHeaders: [],
    strategies: {},
    present: () => undefined,
    verify: () => Promise.reject(new Error('not called')),
    securityScheme: { type: 'http', description: name },
  });
register('badge', 'person', () => true);
register('ticket', 'both', (scope) => !scope.startsWith('admin:'));
register('robot', 'machine', (scope) => scope.startsWith('probes:'));

const BADGE = 'badge' as AuthMode;
const TICKET = 'ticket' as AuthMode;
const ROBOT = 'robot' as AuthMode;
/** Nobody registered these. */
const PIGEON = 'pigeon' as AuthMode;
const OWL = 'owl' as AuthMode;

type Decorator = ClassDecorator & MethodDecorator;

/** The policy of a handler with one decorator or none, in a controller with one or none. */
function policyOf({ onClass, onHandler }: { onClass?: Decorator; onHandler?: Decorator }) {
  class Room {
    enter() {}
  }
  onClass?.(Room);
  onHandler?.(Room.prototype, 'enter', Object.getOwnPropertyDescriptor(Room.prototype, 'enter')!);
  return readPolicy(registry, Room, Room.prototype.enter);
}

const declare = (options: AuthenticatedOptions) => policyOf({ onHandler: Authenticated(options) });

describe('readPolicy', () => {
  it('reads a public handler', () => {
    expect(policyOf({ onHandler: Public() })).toEqual({ public: true, sameOrigin: false });
    expect(policyOf({ onHandler: Public({ sameOrigin: true }) })).toEqual({ public: true, sameOrigin: true });
    expect(policyOf({ onClass: Public() })).toEqual({ public: true, sameOrigin: false });
  });

  it('reads a protected one, closed where nothing is said', () => {
    const policy = {
      public: false,
      modes: [ROBOT],
      person: false,
      user: false,
      scopes: [],
      recentSignIn: false,
      live: false,
    };
    expect(declare({ modes: [ROBOT] })).toEqual(policy);
    expect(policyOf({ onClass: Authenticated({ modes: [ROBOT] }) })).toEqual(policy);
  });

  it('prefers what the handler says, and merges nothing', () => {
    const onClass = Authenticated({ modes: 'person', scopes: ['probes:read'], recentSignIn: true });
    const onHandler = Authenticated({ modes: 'any' });
    expect(policyOf({ onClass, onHandler })).toMatchObject({
      person: false,
      scopes: [],
      recentSignIn: false,
    });
  });

  it('takes "any" for every mode, and "person" for those that can carry one', () => {
    expect(declare({ modes: 'any' })).toMatchObject({ modes: [BADGE, ROBOT, TICKET], person: false });
    expect(declare({ modes: 'person' })).toMatchObject({ modes: [BADGE, TICKET], person: true });
  });

  it('takes the modes by name in the order given, with whoever they carry unless it must be a person', () => {
    expect(declare({ modes: 'any', user: true })).toMatchObject({
      modes: [BADGE, ROBOT, TICKET],
      user: true,
    });
    expect(declare({ modes: 'person' })).toMatchObject({ user: true });
    expect(declare({ modes: [TICKET, BADGE] })).toMatchObject({ modes: [TICKET, BADGE], person: false });
    expect(declare({ modes: [TICKET], person: true })).toMatchObject({ modes: [TICKET], person: true });
    expect(declare({ modes: 'any', person: true })).toMatchObject({ modes: [BADGE, TICKET], person: true });
  });

  it('reads that what is behind the credential must be alive', () => {
    expect(declare({ modes: 'any', live: true })).toMatchObject({ live: true });
  });

  it('keeps scopes that some accepted mode can hold', () => {
    const scopes: Scope[] = ['probes:read', 'profile:read', 'admin:users'];
    expect(declare({ modes: 'any', scopes })).toMatchObject({ scopes });
  });

  it.each([
    ['nothing', {}, 'declares neither @Public() nor @Authenticated()'],
    [
      'both on the handler',
      {
        onHandler: ((...args: Parameters<MethodDecorator>) => {
          Public()(...args);
          Authenticated({ modes: 'any' })(...args);
        }) as Decorator,
      },
      'is both @Public() and @Authenticated()',
    ],
    [
      'public in a protected class',
      { onClass: Authenticated({ modes: 'any' }), onHandler: Public() },
      'is both @Public() and @Authenticated()',
    ],
    [
      'protected in a public class',
      { onClass: Public(), onHandler: Authenticated({ modes: 'any' }) },
      'is both @Public() and @Authenticated()',
    ],
  ])('refuses a declaration of %s', (_, decorators, fault) => {
    expect(policyOf(decorators)).toBe(fault);
  });

  it.each<[AuthenticatedOptions, string]>([
    [{ modes: [PIGEON, BADGE, OWL] }, 'names unknown modes: pigeon, owl'],
    [{ modes: 'everybody' as 'any' }, 'names unknown modes: everybody'],
    [{ modes: [] as unknown as [AuthMode] }, 'accepts no mode that is there'],
    [{ modes: 'any', scopes: ['a' as Scope, 'probes:read', 'b' as Scope] }, 'names unknown scopes: a, b'],
    [
      { modes: [TICKET, ROBOT], scopes: ['admin:users', 'probes:read', 'admin:signing-keys'] },
      'asks for scopes that no mode it accepts can hold: admin:users, admin:signing-keys',
    ],
    [{ modes: [ROBOT], person: true }, 'asks for a person, but accepts machines only'],
    [{ modes: [ROBOT], recentSignIn: true }, 'asks for a recent sign-in, but accepts machines only'],
  ])('refuses %j', (options, fault) => {
    expect(declare(options)).toBe(fault);
  });

  it('accepts a recent sign-in where a person may come', () => {
    expect(declare({ modes: [TICKET, ROBOT], recentSignIn: true })).toMatchObject({ recentSignIn: true });
  });

  it('finds no mode in an application that has none', () => {
    class Room {
      enter() {}
    }
    Authenticated({ modes: 'any' })(Room);
    expect(readPolicy(new ModeRegistry(), Room, Room.prototype.enter)).toBe('accepts no mode that is there');
  });
});
