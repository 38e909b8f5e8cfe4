import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { EmailInput } from '../../accounts/users/users.schemas.js';
import { text } from '../../web/http/validation.js';

const YES = [true, 'true', 't', '1'] as const;
const NO = [false, 'false', 'f', '0', ''] as const;

/** A column, as the exports of databases write it. An empty cell of CSV counts as missing. */
const Row = z.strictObject({
  email: EmailInput,
  password_hash: z.string().min(1).max(300),
  email_verified: z
    .union([z.literal(YES), z.literal(NO)], 'must be true or false')
    .default(false)
    .transform((value) => YES.some((yes) => yes === value)),
  name: z
    .preprocess((value) => (value === '' || value === null ? undefined : value), text(1, 100).optional())
    .optional(),
});

export interface ImportedUser {
  readonly email: string;
  readonly passwordHash: string;
  readonly emailVerified: boolean;
  readonly name: string | undefined;
}

interface Read<T> {
  readonly line: number;
  readonly value: T;
}

/** A fault names its line and field, and repeats no value. */
export type Fault = string;

const COLUMNS = Object.keys(Row.shape).join(', ');

/**
 * Reads users from CSV with a header, or from JSON lines.
 * @param hashFault why a hash would never be checked
 */
export function readUsers(
  input: string,
  hashFault: (hash: string) => string | undefined,
): { users: ImportedUser[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const users: ImportedUser[] = [];
  const lines = new Map<string, number>();
  for (const { line, value } of readValues(input, faults)) {
    const { data, error } = Row.safeParse(value, { reportInput: true });
    if (error) faults.push(...error.issues.map((issue) => `line ${line}: ${explain(issue)}`));
    else {
      const fault = hashFault(data.password_hash);
      const earlier = lines.get(data.email);
      if (fault) faults.push(`line ${line}: password_hash: ${fault}`);
      if (earlier !== undefined) faults.push(`line ${line}: email: is also in line ${earlier}`);
      lines.set(data.email, line);
      const { email, password_hash: passwordHash, email_verified: emailVerified, name } = data;
      users.push({ email, passwordHash, emailVerified, name });
    }
  }
  return { users, faults };
}

function explain({ code, path, message, input }: z.core.$ZodIssue): string {
  if (code === 'unrecognized_keys') return `has other fields than ${COLUMNS}`;
  if (code === 'invalid_type' && input === undefined) return `${String(path[0])}: is required`;
  return path.length === 0 ? `must be an object with ${COLUMNS}` : `${String(path[0])}: ${message}`;
}

const readValues = (input: string, faults: Fault[]): Read<unknown>[] =>
  input.trimStart().startsWith('{') ? readJsonLines(input, faults) : readCsv(input, faults);

function readJsonLines(input: string, faults: Fault[]): Read<unknown>[] {
  return input.split('\n').flatMap((text, index) => {
    const line = index + 1;
    if (text.trim() === '') return [];
    try {
      return [{ line, value: JSON.parse(text) as unknown }];
    } catch {
      faults.push(`line ${line}: must be a JSON object`);
      return [];
    }
  });
}

function readCsv(input: string, faults: Fault[]): Read<unknown>[] {
  try {
    const rows = parse(input, { columns: true, bom: true, info: true, skip_empty_lines: true });
    return (rows as unknown as { record: unknown; info: { lines: number } }[]).map(({ record, info }) => ({
      line: info.lines,
      value: record,
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    faults.push(`line ${String(error['lines'])}: must be CSV with a header (${error.code})`);
    return [];
  }
}
