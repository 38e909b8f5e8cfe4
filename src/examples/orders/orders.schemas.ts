import { z } from 'zod';
import { text } from '../../web/http/validation.js';
import { pageOf } from '../../web/pagination/page.js';
import type { Order } from './order.entity.js';

export const CreateOrder = z
  .strictObject({
    item: text(1, 200).meta({ description: 'The ordered item', examples: ['Tea'] }),
    quantity: z.int().min(1).max(1_000_000).describe('The number of items'),
  })
  .meta({ id: 'CreateOrder', description: 'A new order' });
export type CreateOrder = z.infer<typeof CreateOrder>;

export const OrderView = z
  .object({
    id: z.uuid().describe('The id of the order'),
    item: z.string().describe('The ordered item'),
    quantity: z.int().describe('The number of items'),
    createdAt: z.iso.datetime().describe('When it was placed'),
  })
  .meta({ id: 'Order', description: 'An order' });

export const OrderPage = pageOf(OrderView, 'OrderPage');

export const showOrder = ({ id, item, quantity, createdAt }: Order) => ({ id, item, quantity, createdAt });
