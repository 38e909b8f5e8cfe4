import type { AuthMode } from './auth-modes.js';
import {
  AUTHENTICATED,
  type AuthenticatedOptions,
  PUBLIC,
  type PublicOptions,
} from './authenticated.decorator.js';
import type { ModeRegistry } from './mode-registry.js';
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
  readonly recentSignIn: boolean;
  readonly live: boolean;
  /** `orders/:id`, with parameters of the path. */
  readonly resource: string | undefined;
}

export type AccessPolicy = PublicPolicy | ProtectedPolicy;

type Declaration = Function;

/** Reads what a handler and its controller declare. Returns the policy, or what is wrong with the declaration. */
export function readPolicy(
  registry: ModeRegistry,
  controller: Declaration,
  handler: Declaration,
): AccessPolicy | string {
  const read = (key: symbol): unknown =>
    Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
  const open = read(PUBLIC) as PublicOptions | undefined;
  const closed = read(AUTHENTICATED) as AuthenticatedOptions | undefined;
  if (open && closed) return 'is both @Public() and @Authenticated()';
  if (open) return { public: true, sameOrigin: open.sameOrigin ?? false, rateLimit: open.rateLimit };
  if (!closed) return 'declares neither @Public() nor @Authenticated()';
  return protectedPolicy(registry, closed);
}

function protectedPolicy(registry: ModeRegistry, declared: AuthenticatedOptions): ProtectedPolicy | string {
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
  if (modes.length === 0) return 'accepts no mode that is there';
  const unknownScopes = scopes.filter((scope) => !isScope(scope));
  if (unknownScopes.length > 0) return `names unknown scopes: ${unknownScopes.join(', ')}`;

  const definitions = modes.map((name) => registry.get(name));
  const machinesOnly = definitions.every((mode) => mode.carries === 'machine');
  if (person && machinesOnly) return 'asks for a person, but accepts machines only';
  if (declared.recentSignIn && machinesOnly) return 'asks for a recent sign-in, but accepts machines only';
  const impossible = scopes.filter((scope) => definitions.every((mode) => !mode.canHold(scope)));
  if (impossible.length > 0)
    return `asks for scopes that no mode it accepts can hold: ${impossible.join(', ')}`;
  return {
    public: false,
    modes,
    person,
    user: person || (declared.user ?? false),
    scopes,
    recentSignIn: declared.recentSignIn ?? false,
    live: declared.live ?? false,
    resource: declared.resource,
  };
}
