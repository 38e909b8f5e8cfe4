import type { AuthMode } from './auth-modes.js';
import {
  AUTHENTICATED,
  type AuthenticatedOptions,
  PUBLIC,
  type PublicOptions,
} from './authenticated.decorator.js';
import type { ModeRegistry } from './mode-registry.js';
import { parseDuration } from '../platform/config/duration.js';
import type { DeclaredRequirement, RequirementRegistry } from './requirements.js';
import { isScope, type Scope } from './scopes.js';

export interface PublicPolicy {
  readonly public: true;
  readonly sameOrigin: boolean;
  readonly rateLimit: PublicOptions['rateLimit'];
}

export interface ProtectedPolicy {
  readonly public: false;
  readonly modes: readonly AuthMode[];
  readonly person: boolean;
  /** Service accounts are refused. */
  readonly user: boolean;
  readonly scopes: readonly Scope[];
  /** `true`: within REAUTHENTICATION_WINDOW. Or within these milliseconds. */
  readonly recentSignIn: boolean | number;
  readonly secondFactor: AuthenticatedOptions['secondFactor'];
  readonly live: boolean;
  /** `orders/:id`, with parameters of the route's path. */
  readonly resource: string | undefined;
  readonly requires: readonly DeclaredRequirement[];
}

export type AccessPolicy = PublicPolicy | ProtectedPolicy;

type Declaration = Function;

/** Reads the declaration of a handler or its controller. Returns the policy, or a description of the fault. */
export function readPolicy(
  registry: ModeRegistry,
  requirements: RequirementRegistry,
  controller: Declaration,
  handler: Declaration,
): AccessPolicy | string {
  const read = (key: symbol): unknown =>
    Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
  const open = read(PUBLIC) as PublicOptions | undefined;
  const closed = read(AUTHENTICATED) as AuthenticatedOptions | undefined;
  if (open && closed) return 'declares both @Public() and @Authenticated()';
  if (open) return { public: true, sameOrigin: open.sameOrigin ?? false, rateLimit: open.rateLimit };
  if (!closed) return 'declares neither @Public() nor @Authenticated()';
  const requires = requirements.read(closed.requires ?? {});
  return typeof requires === 'string' ? requires : protectedPolicy(registry, closed, requires);
}

function protectedPolicy(
  registry: ModeRegistry,
  declared: AuthenticatedOptions,
  requires: readonly DeclaredRequirement[],
): ProtectedPolicy | string {
  const registered = registry.all();
  const known = new Set<string>(registered.map((mode) => mode.name));
  const person = declared.modes === 'person' || (declared.person ?? false);
  const modes: readonly AuthMode[] =
    declared.modes === 'any' || declared.modes === 'person'
      ? registered.filter((mode) => !person || mode.carries !== 'machine').map((mode) => mode.name)
      : [declared.modes].flat();
  const scopes = declared.scopes ?? [];

  const unknownModes = modes.filter((name) => !known.has(name));
  if (unknownModes.length > 0) return `names unknown modes: ${unknownModes.join(', ')}`;
  if (modes.length === 0) return 'accepts no registered mode';
  const unknownScopes = scopes.filter((scope) => !isScope(scope));
  if (unknownScopes.length > 0) return `names unknown scopes: ${unknownScopes.join(', ')}`;

  const definitions = modes.map((name) => registry.get(name));
  const machinesOnly = definitions.every((mode) => mode.carries === 'machine');
  if (person && machinesOnly) return 'requires a person, but accepts machines only';
  const { recentSignIn = false, secondFactor } = declared;
  if (recentSignIn && machinesOnly) return 'requires a recent sign-in, but accepts machines only';
  const maxAge = typeof recentSignIn === 'string' ? parseDuration(recentSignIn) : recentSignIn;
  if (maxAge === undefined || maxAge === 0)
    return `requires a sign-in within "${recentSignIn}", which must be a duration such as 5m`;
  if (secondFactor === true && machinesOnly) return 'requires a second factor, but accepts machines only';
  // A token does not carry the time of the second factor. The sign-in behind it does.
  if (recentSignIn && secondFactor && secondFactor !== 'never' && !declared.live)
    return 'requires a recent second factor, so it must declare `live: true`';
  const impossible = scopes.filter((scope) => definitions.every((mode) => !mode.canHold(scope)));
  if (impossible.length > 0)
    return `requires scopes that none of its modes can hold: ${impossible.join(', ')}`;
  return {
    public: false,
    modes,
    person,
    user: person || (declared.user ?? false),
    scopes,
    recentSignIn: maxAge,
    secondFactor,
    live: declared.live ?? false,
    resource: declared.resource,
    requires,
  };
}
