const fields = new Set<string>([
  'authorization',
  'cookie',
  'cookies',
  'set-cookie',
  'password',
  'secret',
  'token',
]);

/** Declares names of headers and fields whose values the log redacts, in the room that reads or answers them. */
export function defineSecretFields(...names: string[]): void {
  for (const name of names) fields.add(name);
}

export const secretFields = (): string[] => [...fields];
