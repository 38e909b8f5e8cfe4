import { z } from 'zod';
import { text } from '../../web/http/validation.js';
import type { Event } from './event.entity.js';

const Storable = text(0, 100_000);

/** jsonb, like text, takes neither NUL nor ill-formed Unicode; the body's limit of depth bounds the recursion. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return Storable.safeParse(value).success;
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, nested]) => isStorable(key) && isStorable(nested));
}

export const CreateEvent = z
  .strictObject({
    type: z
      .string()
      .regex(/^[a-z0-9._-]{1,100}$/, 'must be 1 to 100 of a-z, 0-9, dot, underscore and hyphen')
      .meta({ description: 'What happened', examples: ['import.finished'] }),
    data: z
      .record(z.string(), z.unknown())
      .refine(isStorable, 'holds characters that no text may hold')
      .optional()
      .meta({ description: 'Any JSON object' }),
  })
  .meta({ id: 'CreateEvent', description: 'Something that happened' });
export type CreateEvent = z.infer<typeof CreateEvent>;

export const EventView = z
  .object({
    id: z.uuid().describe('Names the event'),
    type: z.string().describe('What happened'),
    createdAt: z.iso.datetime().describe('When it was recorded'),
  })
  .meta({ id: 'Event', description: 'A recorded event' });

export const showEvent = ({ id, type, createdAt }: Event) => ({ id, type, createdAt });
