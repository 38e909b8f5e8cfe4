import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import type { ResolvedRoute } from '../../auth/resolved-routes.js';
import { defineProblem, ProblemError } from '../../platform/problems/problem.js';
import { parametersOf } from './unvalidated-parameters.js';

const VALIDATION_FAILED = defineProblem({
  slug: 'validation-failed',
  status: 400,
  title: 'Invalid fields',
  about:
    'The answer lists at most 50 invalid fields. Each has a JSON Pointer (RFC 6901) into the body, or `/name` for a path or query parameter. Unknown fields and parameters are errors too.',
});

/** Limits the answer: a body of 100 kB can have thousands of invalid fields. */
export const MAX_ERRORS = 50;

export interface FieldError {
  /** RFC 6901. An empty pointer means the whole body. */
  readonly pointer: string;
  readonly detail: string;
}

export class ValidationError extends ProblemError {
  constructor(readonly errors: readonly FieldError[]) {
    super(VALIDATION_FAILED, 'Some fields are invalid.', {
      extensions: { errors },
      reason: errors.map(({ pointer }) => pointer || '(body)').join(' '),
    });
  }
}

type Path = StandardSchemaV1.Issue['path'];

const escape = (segment: PropertyKey | StandardSchemaV1.PathSegment) =>
  String(typeof segment === 'object' ? segment.key : segment)
    .replaceAll('~', '~0')
    .replaceAll('/', '~1');
const pointer = (path: Path) => (path ?? []).map((segment) => `/${escape(segment)}`).join('');

interface ZodIssue extends StandardSchemaV1.Issue {
  readonly code?: string;
  readonly keys?: readonly string[];
  /** Of a union: the issues of each alternative. */
  readonly errors?: readonly (readonly ZodIssue[])[];
}

/** zod reports unknown keys in one issue of their parent. The answer has one error for each. */
function fieldErrors(issue: StandardSchemaV1.Issue, parent: readonly string[]): FieldError[] {
  const path = [...parent, ...(issue.path ?? [])].map(String);
  const { code, keys, errors } = issue as ZodIssue;
  if (code === 'invalid_union' && errors?.length)
    return nearest(errors).flatMap((one) => fieldErrors(one, path));
  if (code !== 'unrecognized_keys' || !keys) return [{ pointer: pointer(path), detail: issue.message }];
  return keys.map((key) => unexpectedField([...path, key]));
}

/** Of several alternatives, the issues of the first that knows most of the keys that were sent. */
const nearest = (alternatives: readonly (readonly ZodIssue[])[]): readonly ZodIssue[] => {
  const unknown = (issues: readonly ZodIssue[]) => issues.flatMap(({ keys = [] }) => keys).length;
  return alternatives.reduce((best, issues) => (unknown(issues) < unknown(best) ? issues : best));
};

export const unexpectedField = (path: Path): FieldError => ({
  pointer: pointer(path),
  detail: 'is not a field of this request',
});

/** @param parent the name of the parameter, which precedes the paths of the issues */
export const validationError = (
  issues: readonly StandardSchemaV1.Issue[],
  parent: readonly string[] = [],
): ValidationError =>
  new ValidationError(issues.flatMap((issue) => fieldErrors(issue, parent)).slice(0, MAX_ERRORS));

/**
 * Validates each parameter of a handler that declares a schema. Nest's own pipe would first remove the keys `constructor`
 * and `prototype`, which are normal data.
 */
class SchemaPipe implements PipeTransform {
  async transform(value: unknown, { schema, type, data }: ArgumentMetadata): Promise<unknown> {
    if (!schema || type === 'custom') return value;
    const result = await schema['~standard'].validate(value);
    if (!result.issues) return result.value;
    // In `@Param('id')`, `data` is the name of the parameter.
    throw validationError(result.issues, data === undefined ? [] : [data]);
  }
}

const pipe: PipeTransform = new SchemaPipe();

/**
 * Adds the pipe to the parameters that declare a schema. A global pipe would also run for parameters without one, such as
 * the principal, with six promises in each request. Call it before Nest registers routes.
 */
export function validateParameters(routes: Iterable<Pick<ResolvedRoute, 'controller' | 'methodName'>>): void {
  for (const { controller, methodName } of routes)
    for (const [, parameter] of parametersOf(controller, methodName))
      if (parameter.schema !== undefined && !parameter.pipes?.includes(pipe))
        parameter.pipes = [pipe, ...(parameter.pipes ?? [])];
}

/** The number of code points. */
export const codePoints = (value: string): number => Array.from(value).length;

/** A text of `min` to `max` code points. PostgreSQL cannot store NUL, and UTF-8 cannot encode unpaired surrogates. */
export const text = (min: number, max: number) =>
  z
    .string()
    // A code point has at most two UTF-16 units. This check avoids counting a very long text.
    .max(max * 2)
    .refine(
      ...rule(
        (value) => value.isWellFormed() && !value.includes('\0'),
        'must not contain NUL or unpaired surrogates',
      ),
    )
    .refine(
      ...rule((value) => {
        const length = codePoints(value);
        return length >= min && length <= max;
      }, `must have ${min} to ${max} characters`),
    )
    .meta({ minLength: min, maxLength: max });

/** A text in one line with a visible character, such as a name. */
export const line = (min: number, max: number) =>
  text(min, max)
    .refine(
      ...rule((value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value), 'must be one line without control characters'),
    )
    .refine(...rule((value) => /[^\p{C}\p{Z}]/u.test(value), 'must contain a visible character'));

/** `abort`: only the first broken rule is reported. */
function rule(holds: (value: string) => boolean, error: string) {
  return [holds, { error, abort: true }] as const;
}

/** The id of a resource in a path. */
export const ResourceId = z.uuid('must be a UUID').meta({ description: 'A UUID' });

/** A decimal integer in a query. `Number()` would also accept `0x10`, `1e2` and `+5`. */
export const integerParameter = (min: number, max: number) =>
  z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max),
  );
