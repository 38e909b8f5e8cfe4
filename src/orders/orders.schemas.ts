import { z } from 'zod';
import { text } from '../http/validation.js';
import { pageOf } from '../pagination/page.js';
import type { Order } from './order.entity.js';

export const CreateOrder = z
  .strictObject({ item: text(1, 200).meta({ examples: ['Tea'] }), quantity: z.int().min(1).max(1_000_000) })
  .meta({ id: 'CreateOrder' });
export type CreateOrder = z.infer<typeof CreateOrder>;

export const OrderView = z
  .object({ id: z.uuid(), item: z.string(), quantity: z.int(), createdAt: z.iso.datetime() })
  .meta({ id: 'Order' });

export const OrderPage = pageOf(OrderView, 'OrderPage');

export const showOrder = ({ id, item, quantity, createdAt }: Order) => ({ id, item, quantity, createdAt });
