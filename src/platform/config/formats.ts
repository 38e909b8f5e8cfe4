import { z } from 'zod';
import { parseDuration } from './duration.js';

// Formats of settings. Messages never repeat a value, because it can be a secret.

export const optionalDuration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 500ms, 10s, 15m, 12h or 14d' });
  return z.NEVER;
});

/** In milliseconds. */
export const duration = (preset: string) => optionalDuration.prefault(preset);

/** A duration longer than zero. */
export const lifetime = (preset: string) => duration(preset).refine((ms) => ms > 0, 'must be longer than 0');

/** Separated by commas or spaces. */
export const list = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter(Boolean));

export const onOff = z.enum(['on', 'off']).transform((word) => word === 'on');

/** Decimal digits only: `Number()` would also accept `0x10` and `1e3`. */
export const integer = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.int().min(min).max(max));

export const port = integer(0, 65_535);

export const urlWith = (...protocols: string[]) =>
  z.string().refine((text) => protocols.some((p) => text.startsWith(`${p}://`)) && URL.canParse(text), {
    message: `must be a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  });

/** Whether a browser could send this text as Origin. A pattern, path or default port would never match. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && /^https?:$/.test(protocol) && !hostname.includes('*');
}

/** An origin. In production it must be https. */
export const origin = (production: boolean) =>
  z
    .string()
    .refine(isOrigin, {
      message: 'must be an origin such as https://app.example.com, without a path, pattern or default port',
      abort: true,
    })
    .refine((text) => !production || text.startsWith('https:'), 'must be https in production');
