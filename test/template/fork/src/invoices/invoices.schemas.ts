import { z } from 'zod';
import { text } from '../web/http/validation.js';
import { pageOf } from '../web/pagination/page.js';
import type { Invoice } from './invoice.entity.js';

export const CreateInvoice = z
  .strictObject({
    customer: text(1, 200).describe('Who pays'),
    cents: z.int().min(1).max(1_000_000_000).describe('The amount'),
  })
  .meta({ id: 'CreateInvoice', description: 'A new invoice' });
export type CreateInvoice = z.infer<typeof CreateInvoice>;

export const InvoiceView = z
  .object({
    id: z.uuid().describe('The ID of the invoice'),
    customer: z.string().describe('Who pays'),
    cents: z.int().describe('The amount'),
    currency: z.string().describe('An ISO 4217 code'),
    createdAt: z.iso.datetime().describe('When the invoice was created'),
    paidAt: z.iso.datetime().nullable().describe('When the invoice was paid'),
  })
  .meta({ id: 'Invoice', description: 'An invoice' });

export const InvoicePage = pageOf(InvoiceView, 'InvoicePage');

export const showInvoice = ({ id, customer, cents, currency, createdAt, paidAt }: Invoice) => ({
  id,
  customer,
  cents,
  currency,
  createdAt,
  paidAt,
});

export const Payment = z
  .strictObject({ invoice: z.uuid().describe('The ID of the invoice') })
  .meta({ id: 'Payment', description: 'A payment, as the payment provider reports it' });
