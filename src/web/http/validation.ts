import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const VALIDATION_FAILED = defineProblem({
  slug: 'validation-failed',
  status: 400,
  title: 'The request has invalid fields',
  about:
    'The answer lists the fields that are wrong, 50 at most, each with a JSON Pointer (RFC 6901) into the body, or `/name` for a parameter of the path or the query. A field or parameter that the API reference does not name is an error too.',
});

/** A body of 100 kB has room for many thousands. */
export const MAX_ERRORS = 50;

export interface FieldError {
  /** RFC 6901; the empty pointer is the whole body. */
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

/** zod reports unknown keys at their parent, with the keys beside: one error for each. */
function fieldErrors(issue: StandardSchemaV1.Issue, parent: readonly string[]): FieldError[] {
  const path = [...parent, ...(issue.path ?? [])];
  const { code, keys } = issue as { code?: string; keys?: string[] };
  if (code !== 'unrecognized_keys' || !keys) return [{ pointer: pointer(path), detail: issue.message }];
  return keys.map((key) => noField([...path, key]));
}

export const noField = (path: Path): FieldError => ({
  pointer: pointer(path),
  detail: 'is not a field of this request',
});

/** @param parent of the paths of the issues: the name of a parameter */
export const validationError = (
  issues: readonly StandardSchemaV1.Issue[],
  parent: readonly string[] = [],
): ValidationError =>
  new ValidationError(issues.flatMap((issue) => fieldErrors(issue, parent)).slice(0, MAX_ERRORS));

/**
 * Validates whatever a handler's parameter declares a schema for, as it came: the pipe of Nest first removes each key
 * `constructor` or `prototype`, which are data like any other.
 */
class SchemaPipe implements PipeTransform {
  async transform(value: unknown, { schema, type, data }: ArgumentMetadata): Promise<unknown> {
    if (!schema || type === 'custom') return value;
    const result = await schema['~standard'].validate(value);
    if (!result.issues) return result.value;
    // The parameter's own name, in `@Param('id')` and the like.
    throw validationError(result.issues, data === undefined ? [] : [data]);
  }
}

export const validationPipe = (): PipeTransform => new SchemaPipe();

/** How many code points a well-formed text has. */
export const codePoints = (value: string): number => Array.from(value).length;

/** A text of `min` to `max` code points. PostgreSQL stores no NUL, and ill-formed Unicode has no UTF-8. */
export const text = (min: number, max: number) =>
  z
    .string()
    // Twice: a code point has at most two units, and a long text need not be counted.
    .max(max * 2)
    .refine(
      ...rule(
        (value) => value.isWellFormed() && !value.includes('\0'),
        'holds characters that no text may hold',
      ),
    )
    .refine(
      ...rule((value) => {
        const length = codePoints(value);
        return length >= min && length <= max;
      }, `must have ${min} to ${max} characters`),
    )
    .meta({ minLength: min, maxLength: max });

/** A text in one line, with something to be seen in it: what people tell things apart by. */
export const line = (min: number, max: number) =>
  text(min, max)
    .refine(
      ...rule(
        (value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value),
        'must be one line, without control characters',
      ),
    )
    .refine(...rule((value) => /[^\p{C}\p{Z}]/u.test(value), 'has nothing to be seen'));

/** One error for each text: the first rule that it breaks. */
function rule(holds: (value: string) => boolean, error: string) {
  return [holds, { error, abort: true }] as const;
}

/** The id of a resource, in a path. */
export const ResourceId = z.uuid('is no id').meta({ description: 'A UUID' });

/** A whole number in a query. `Number()` also reads `0x10`, `1e2` and `+5`. */
export const integerParameter = (min: number, max: number) =>
  z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max),
  );
