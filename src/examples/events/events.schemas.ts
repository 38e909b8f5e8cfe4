import { z } from 'zod';
import { text } from '../../web/http/validation.js';
import type { Event } from './event.entity.js';

const Storable = text(0, 100_000);

/** jsonb accepts neither NUL nor ill-formed Unicode. The depth limit of bodies also limits the recursion. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return Storable.safeParse(value).success;
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, nested]) => isStorable(key) && isStorable(nested));
}

export const CreateEvent = z
  .strictObject({
    type: z
      .string()
      .regex(/^[a-z0-9._-]{1,100}$/, 'must be 1 to 100 characters of a-z, 0-9, dot, underscore and hyphen')
      .meta({ description: 'The type of the event', examples: ['import.finished'] }),
    data: z
      .record(z.string(), z.unknown())
      .refine(isStorable, 'must not contain NUL or unpaired surrogates')
      .optional()
      .meta({ description: 'Any JSON object' }),
  })
  .meta({ id: 'CreateEvent', description: 'A new event' });
export type CreateEvent = z.infer<typeof CreateEvent>;

export const EventView = z
  .object({
    id: z.uuid().describe('The id of the event'),
    type: z.string().describe('The type of the event'),
    createdAt: z.iso.datetime().describe('When it was recorded'),
  })
  .meta({ id: 'Event', description: 'A recorded event' });

export const showEvent = ({ id, type, createdAt }: Event) => ({ id, type, createdAt });
