const fields = new Set<string>([
  'authorization',
  'cookie',
  'cookies',
  'set-cookie',
  'password',
  'secret',
  'token',
]);

/** Declares headers and fields that the log redacts, in the room that uses them. */
export function defineSecretFields(...names: string[]): void {
  for (const name of names) fields.add(name);
}

export const secretFields = (): string[] => [...fields];
