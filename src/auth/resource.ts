const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The canonical form of a resource: a UUID in lower case, as PostgreSQL writes it. */
export const canonicalResource = (resource: string): string =>
  resource.replace(UUID, (id) => id.toLowerCase());

/** The resource of a request, from the template that its route declares. */
export function resourceOf(template: string, parameters: Readonly<Record<string, string>>): string {
  return canonicalResource(template.replaceAll(/:(\w+)/g, (_all, name: string) => parameters[name]!));
}

/** The parameters of a template that are not in the path of its route. */
export function missingParameters(template: string, path: string): string[] {
  const named = path.split('/');
  return [...template.matchAll(/:\w+/g)].map(([name]) => name).filter((name) => !named.includes(name));
}
