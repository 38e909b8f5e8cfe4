const tags = new Map<string, string>();

/** Declares a tag of the API reference, for controllers with `@ApiTags(name)`. @throws if the name is already declared */
export function defineTag(name: string, description: string): void {
  if (tags.has(name)) throw new Error(`the tag "${name}" is declared twice`);
  tags.set(name, description);
}

export const aboutTag = (name: string): string => tags.get(name) ?? name;
