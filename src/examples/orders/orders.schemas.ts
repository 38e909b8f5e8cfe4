import { z } from 'zod';
import { text } from '../../web/http/validation.js';
import { pageOf } from '../../web/pagination/page.js';
import type { Order } from './order.entity.js';

export const CreateOrder = z
  .strictObject({
    item: text(1, 200).meta({ description: 'What is ordered', examples: ['Tea'] }),
    quantity: z.int().min(1).max(1_000_000).describe('How many'),
  })
  .meta({ id: 'CreateOrder', description: 'A new order' });
export type CreateOrder = z.infer<typeof CreateOrder>;

export const OrderView = z
  .object({
    id: z.uuid().describe('Names the order'),
    item: z.string().describe('What is ordered'),
    quantity: z.int().describe('How many'),
    createdAt: z.iso.datetime().describe('When it was placed'),
  })
  .meta({ id: 'Order', description: 'An order' });

export const OrderPage = pageOf(OrderView, 'OrderPage');

export const showOrder = ({ id, item, quantity, createdAt }: Order) => ({ id, item, quantity, createdAt });
