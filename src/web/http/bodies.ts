import { z } from 'zod';
import { decode, parseJson } from './json-body.js';
import { validationError } from './validation.js';

/** The body of a route that declares `@AcceptBody({ as: 'bytes' })`. */
export const Bytes = z
  .instanceof(Buffer)
  .meta({ type: 'string', format: 'binary', description: 'Raw bytes' });

/**
 * The schema of a route that declares `@AcceptBody({ as: 'form' })`. Each field can occur once. All values are strings,
 * so numbers need `z.coerce`.
 */
export const formOf = <T extends z.ZodType>(fields: T) =>
  z.preprocess((form, context) => {
    if (!(form instanceof URLSearchParams)) return form;
    for (const name of new Set(form.keys()))
      if (form.getAll(name).length > 1)
        context.addIssue({ code: 'custom', message: 'must not be sent twice', path: [name], input: form });
    return Object.fromEntries(form);
  }, fields);

/** Parses and validates raw bytes as JSON, after their signature was verified. @throws ValidationError, MalformedRequestError */
export function jsonOf<T extends z.ZodType>(bytes: Buffer, schema: T): z.infer<T> {
  const parsed = schema.safeParse(parseJson(decode(bytes)));
  if (!parsed.success) throw validationError(parsed.error.issues);
  return parsed.data;
}
