import { z } from 'zod';
import { EmailInput, PasswordInput } from '../users/users.schemas.js';
import type { ProofFields } from './proofs.js';

interface ProofSchemas {
  /** Instead of `email` and `password`, together with the parameters of the route. */
  readonly starts?: readonly z.ZodRawShape[];
  /** In the second request of a sign-in. The parameters are those of the first request. */
  readonly continuations?: readonly z.ZodRawShape[];
  /** Instead of `password` in a reauthentication. */
  readonly reauthentications?: readonly z.ZodRawShape[];
  /** Problems that a sign-in then answers with. */
  readonly problems?: readonly string[];
}

const declared: ProofSchemas[] = [];

/** Declares the fields that a body can have instead of a password. Every route that signs in accepts them. */
export const defineProofFields = (schemas: ProofSchemas): void => void declared.push(schemas);

const all = (part: Exclude<keyof ProofSchemas, 'problems'>) =>
  declared.flatMap((schemas) => schemas[part] ?? []);

/** For the API reference of a route that signs in. */
export const problemsOfProofs = () => declared.flatMap(({ problems = [] }) => problems);

/** The body of a route that signs in. */
export interface SignInRequest<Parameters> {
  readonly proof: ProofFields;
  /** Undefined in the second request of a sign-in. */
  readonly parameters: Parameters | undefined;
}

const PASSWORD = { email: EmailInput, password: PasswordInput };

/** The body schema of a route that signs in. Lazy, because rooms declare their fields later. */
export function signInRequest<Shape extends z.ZodRawShape>(
  meta: { id: string; description: string },
  shape: Shape,
): z.ZodType<SignInRequest<z.output<z.ZodObject<Shape>>>> {
  const start = (proof: z.ZodRawShape) => z.strictObject({ ...proof, ...shape }).transform(splitBy(proof));
  return z
    .lazy(() =>
      anyOf(start(PASSWORD), [...all('starts').map(start), ...all('continuations').map(continuation)]),
    )
    .meta(meta) as never;
}

/** A union, unless there is nothing to choose from. */
const anyOf = (first: z.ZodType, others: readonly z.ZodType[]): z.ZodType =>
  others.length === 0 ? first : z.union([first, ...others]);

const continuation = (proof: z.ZodRawShape) =>
  z.strictObject(proof).transform((sent) => ({ proof: sent, parameters: undefined }));

const splitBy = (proof: z.ZodRawShape) => (sent: ProofFields) => {
  const part = (ofProof: boolean) =>
    Object.fromEntries(Object.entries(sent).filter(([name]) => name in proof === ofProof));
  return { proof: part(true), parameters: part(false) };
};

export const Reauthentication = z
  .lazy(() =>
    anyOf(
      z.strictObject({ password: PasswordInput }),
      all('reauthentications').map((shape) => z.strictObject(shape)),
    ),
  )
  .meta({ id: 'Reauthentication', description: 'A proof of identity' }) as z.ZodType<ProofFields>;

export interface PasswordProof {
  readonly email: string;
  readonly password: string;
}

export const isPassword = <Fields extends ProofFields>(
  proof: Fields,
): proof is Fields & { readonly password: string } => typeof proof['password'] === 'string';
