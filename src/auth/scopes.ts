/** The scopes of this application. Each room adds its own, by declaration merging. */
export interface Scopes {}

export type Scope = keyof Scopes;

export interface ScopeDefinition {
  /** What it allows, as a person reads it. */
  readonly about: string;
  /** No API key can hold it, and no token of one. */
  readonly personsOnly?: true;
  /** Only users with this role have it. The role exists because a scope names it. */
  readonly role?: string;
}

const catalogue = new Map<string, ScopeDefinition>();
/** Derived from the catalogue, and derived again after a declaration. */
const derived = new Map<string, readonly Scope[]>();

/** Declares scopes, in the room whose routes require them. @throws if a name is taken */
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

/** Whether only a role gives this scope. A role can be lost while a credential lives. */
export const needsRole = (scope: string): boolean => findScope(scope)?.role !== undefined;

export const findScope = (scope: string): ScopeDefinition | undefined => catalogue.get(scope);

/** What every user may do. */
export const userScopes = (): readonly Scope[] => scopesOfRoles([]);

/** What an API key can hold. */
export const machineScopes = (): readonly Scope[] =>
  select('machines', ({ role, personsOnly }) => role === undefined && !personsOnly);

/** What users with these roles may do. A session has all of it, a token what it asked for by name. */
export const scopesOfRoles = (roles: readonly string[]): readonly Scope[] =>
  select(`roles ${roles.join(' ')}`, ({ role }) => role === undefined || roles.includes(role));

/** The roles that scopes name. */
export const allRoles = (): string[] =>
  [...new Set([...catalogue.values()].flatMap(({ role }) => role ?? []))].toSorted((a, b) =>
    a.localeCompare(b),
  );

/** In the order of their names, whichever room was loaded first. */
function select(name: string, matches: (definition: ScopeDefinition) => boolean): readonly Scope[] {
  let scopes = derived.get(name);
  if (!scopes) {
    const all = [...catalogue].filter(([, definition]) => matches(definition)).map(([scope]) => scope);
    scopes = all.toSorted((a, b) => a.localeCompare(b)) as Scope[];
    derived.set(name, scopes);
  }
  return scopes;
}

/** Those of `scopes` that a user with these roles may have. */
export function heldScopes(scopes: Iterable<string>, roles: readonly string[]): Scope[] {
  const held: ReadonlySet<string> = new Set(scopesOfRoles(roles));
  return [...scopes].filter((scope): scope is Scope => held.has(scope));
}
