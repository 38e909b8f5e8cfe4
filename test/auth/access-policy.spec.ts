import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { readPolicy } from '../../src/auth/access-policy.js';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import { Authenticated, type AuthenticatedOptions, Public } from '../../src/auth/authenticated.decorator.js';
import { type ModeDefinition, ModeRegistry } from '../../src/auth/mode-registry.js';
import { RequirementRegistry } from '../../src/auth/requirements.js';
import { defineScopes, type Scope } from '../../src/auth/scopes.js';

const about = 'Of a test';
defineScopes({
  'shelf:read': { about },
  'shelf:write': { about },
  'staff:hire': { about },
  'staff:pay': { about },
} as object);
const READ = 'shelf:read' as Scope;
const WRITE = 'shelf:write' as Scope;
const HIRE = 'staff:hire' as Scope;
const PAY = 'staff:pay' as Scope;

const requirements = new RequirementRegistry();

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
register('ticket', 'both', (scope) => !scope.startsWith('staff:'));
register('robot', 'machine', (scope) => scope.startsWith('shelf:'));

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
  return readPolicy(registry, requirements, Room, Room.prototype.enter);
}

const declare = (options: AuthenticatedOptions) => policyOf({ onHandler: Authenticated(options) });

/** No room registers it. */
const RAIN: object = { rain: true };

describe('readPolicy', () => {
  it('reads a public handler', () => {
    expect(policyOf({ onHandler: Public() })).toEqual({ public: true, sameOrigin: false });
    expect(policyOf({ onHandler: Public({ sameOrigin: true }) })).toEqual({ public: true, sameOrigin: true });
    expect(policyOf({ onClass: Public() })).toEqual({ public: true, sameOrigin: false });
  });

  it('reads a protected handler, closed by default', () => {
    const policy = {
      public: false,
      modes: [ROBOT],
      person: false,
      user: false,
      scopes: [],
      recentSignIn: false,
      live: false,
      requires: [],
    };
    expect(declare({ modes: [ROBOT] })).toEqual(policy);
    expect(policyOf({ onClass: Authenticated({ modes: [ROBOT] }) })).toEqual(policy);
  });

  it('uses the declaration of the handler alone if there is one', () => {
    const onClass = Authenticated({ modes: 'person', scopes: [READ], recentSignIn: true });
    const onHandler = Authenticated({ modes: 'any' });
    expect(policyOf({ onClass, onHandler })).toMatchObject({
      person: false,
      scopes: [],
      recentSignIn: false,
    });
  });

  it('reads "any" as every mode, and "person" as the modes that can carry a person', () => {
    expect(declare({ modes: 'any' })).toMatchObject({ modes: [BADGE, ROBOT, TICKET], person: false });
    expect(declare({ modes: 'person' })).toMatchObject({ modes: [BADGE, TICKET], person: true });
  });

  it('keeps named modes in their order, and drops machines if the route requires a person', () => {
    expect(declare({ modes: 'any', user: true })).toMatchObject({
      modes: [BADGE, ROBOT, TICKET],
      user: true,
    });
    expect(declare({ modes: 'person' })).toMatchObject({ user: true });
    expect(declare({ modes: [TICKET, BADGE] })).toMatchObject({ modes: [TICKET, BADGE], person: false });
    expect(declare({ modes: [TICKET], person: true })).toMatchObject({ modes: [TICKET], person: true });
    expect(declare({ modes: 'any', person: true })).toMatchObject({ modes: [BADGE, TICKET], person: true });
  });

  it('reads `live`', () => {
    expect(declare({ modes: 'any', live: true })).toMatchObject({ live: true });
  });

  it('keeps scopes that some accepted mode can hold', () => {
    const scopes: Scope[] = [READ, WRITE, HIRE];
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
      'declares both @Public() and @Authenticated()',
    ],
    [
      'public in a protected class',
      { onClass: Authenticated({ modes: 'any' }), onHandler: Public() },
      'declares both @Public() and @Authenticated()',
    ],
    [
      'protected in a public class',
      { onClass: Public(), onHandler: Authenticated({ modes: 'any' }) },
      'declares both @Public() and @Authenticated()',
    ],
  ])('refuses a declaration of %s', (_, decorators, fault) => {
    expect(policyOf(decorators)).toBe(fault);
  });

  it.each<[AuthenticatedOptions, string]>([
    [{ modes: [PIGEON, BADGE, OWL] }, 'names unknown modes: pigeon, owl'],
    [{ modes: 'everybody' as 'any' }, 'names unknown modes: everybody'],
    [{ modes: [] as unknown as [AuthMode] }, 'accepts no registered mode'],
    [{ modes: 'any', scopes: ['a' as Scope, READ, 'b' as Scope] }, 'names unknown scopes: a, b'],
    [
      { modes: [TICKET, ROBOT], scopes: [HIRE, READ, PAY] },
      'requires scopes that none of its modes can hold: staff:hire, staff:pay',
    ],
    [{ modes: 'any', requires: RAIN }, 'names unknown requirements: rain'],
    [{ modes: [ROBOT], person: true }, 'requires a person, but accepts machines only'],
    [{ modes: [ROBOT], recentSignIn: true }, 'requires a recent sign-in, but accepts machines only'],
    [{ modes: [ROBOT], secondFactor: true }, 'requires a second factor, but accepts machines only'],
    [
      { modes: 'person', recentSignIn: '0m' },
      'requires a sign-in within "0m", which must be a duration such as 5m',
    ],
    [
      { modes: 'person', recentSignIn: '1.5m' },
      'requires a sign-in within "1.5m", which must be a duration such as 5m',
    ],
    [
      { modes: 'person', recentSignIn: true, secondFactor: true },
      'requires a recent second factor, so it must declare `live: true`',
    ],
  ])('refuses %j', (options, fault) => {
    expect(declare(options)).toBe(fault);
  });

  it('accepts a recent sign-in if one of the modes can carry a person', () => {
    expect(declare({ modes: [TICKET, ROBOT], recentSignIn: true })).toMatchObject({ recentSignIn: true });
  });

  it('finds no mode in an application that has none', () => {
    class Room {
      enter() {}
    }
    Authenticated({ modes: 'any' })(Room);
    expect(readPolicy(new ModeRegistry(), requirements, Room, Room.prototype.enter)).toBe(
      'accepts no registered mode',
    );
  });
});
