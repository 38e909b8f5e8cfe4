/** The scopes of this application. Each room adds its own by declaration merging. */
export interface Scopes {}

export type Scope = keyof Scopes;

export interface ScopeDefinition {
  /** What the scope allows, for people. */
  readonly about: string;
  /** API keys and their tokens cannot hold it. */
  readonly personsOnly?: true;
  /** Only users with this role have the scope. A role exists if a scope names it. */
  readonly role?: string;
}

const catalogue = new Map<string, ScopeDefinition>();
/** Lists derived from the catalogue. A new declaration clears them. */
const derived = new Map<string, readonly Scope[]>();

/** Declares scopes, in the room whose routes require them. @throws if a name is already declared */
export function defineScopes(scopes: Partial<Record<Scope, ScopeDefinition>>): void {
  for (const [name, definition] of Object.entries<ScopeDefinition>(scopes)) {
    if (catalogue.has(name)) throw new Error(`the scope "${name}" is declared twice`);
    catalogue.set(name, definition);
  }
  derived.clear();
}

export function isScope(text: string): text is Scope {
  return catalogue.has(text);
}

/** Whether the scope needs a role, which a user can lose while a credential is valid. */
export const needsRole = (scope: string): boolean => findScope(scope)?.role !== undefined;

export const findScope = (scope: string): ScopeDefinition | undefined => catalogue.get(scope);

/** The scopes of every user. */
export const userScopes = (): readonly Scope[] => scopesOfRoles([]);

/** The scopes that an API key can hold. */
export const machineScopes = (): readonly Scope[] =>
  select('machines', ({ role, personsOnly }) => role === undefined && !personsOnly);

/** The scopes of users with these roles. A session has all of them, a token those that it requested. */
export const scopesOfRoles = (roles: readonly string[]): readonly Scope[] =>
  select(`roles ${roles.join(' ')}`, ({ role }) => role === undefined || roles.includes(role));

/** All roles. */
export const allRoles = (): string[] =>
  [...new Set([...catalogue.values()].flatMap(({ role }) => role ?? []))].toSorted((a, b) =>
    a.localeCompare(b),
  );

/** Sorted by name, so that the result does not depend on the load order of the rooms. */
function select(name: string, matches: (definition: ScopeDefinition) => boolean): readonly Scope[] {
  let scopes = derived.get(name);
  if (!scopes) {
    const all = [...catalogue].filter(([, definition]) => matches(definition)).map(([scope]) => scope);
    scopes = all.toSorted((a, b) => a.localeCompare(b)) as Scope[];
    derived.set(name, scopes);
  }
  return scopes;
}

/** The `scopes` that a user with these roles can have. */
export function heldScopes(scopes: Iterable<string>, roles: readonly string[]): Scope[] {
  const held: ReadonlySet<string> = new Set(scopesOfRoles(roles));
  return [...scopes].filter((scope): scope is Scope => held.has(scope));
}
