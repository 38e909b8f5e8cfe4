import { describe, expect, it } from '@jest/globals';
import { hmac } from '../../src/platform/crypto/secret.js';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { sessionOf } from '../support/modes/session.js';
import { useServer } from '../support/server.js';

const PAYMENTS_SECRET = 'a-secret-of-the-payment-provider';
const INVOICE = { customer: 'Acme', cents: 1200 };

describe('an invoice', () => {
  const context = useServer({ env: { PAYMENTS_SECRET } });

  it('is visible to its owner only', async () => {
    const ada = await sessionOf(await context.server.person());
    const bob = await sessionOf(await context.server.person());
    const { body } = await ada.post('/v1/invoices', INVOICE);
    expect((await ada.get(`/v1/invoices/${body.id}`)).body).toMatchObject({ ...INVOICE, currency: 'EUR' });
    expect((await bob.get(`/v1/invoices/${body.id}`)).status).toBe(404);
  });

  it('is refused to a key without the scope', async () => {
    const key = await apiKeyOf(await context.server.person(), ['profile:read']);
    expect(await key.get('/v1/invoices')).toMatchObject({ status: 403, problem: 'insufficient-scope' });
  });

  it('is refused to an expired token', async () => {
    const token = await jwtOf(await context.server.person(), { scope: 'invoices:read' });
    expect((await token.get('/v1/invoices')).status).toBe(200);
    await context.server.clock.advance('11m');
    expect((await token.get('/v1/invoices')).status).toBe(401);
    await context.server.clock.reset();
  });

  it('is visible to an accountant', async () => {
    const person = await context.server.person();
    expect((await (await sessionOf(person)).get('/v1/accounting/invoices')).status).toBe(403);
    const admin = await sessionOf(await context.server.administrator());
    expect((await admin.put(`/v1/admin/users/${person.id}/roles`, { roles: ['accountant'] })).status).toBe(
      200,
    );
    expect((await (await sessionOf(person)).get('/v1/accounting/invoices')).status).toBe(200);
  });

  it('is paid by a webhook with the right signature', async () => {
    const ada = await sessionOf(await context.server.person());
    const { id } = (await ada.post('/v1/invoices', INVOICE)).body;
    const body = JSON.stringify({ invoice: id });
    const report = (signature: string) =>
      context.server.anonymous.post('/v1/webhooks/payments', body, { headers: { 'X-Signature': signature } });
    expect((await report(hmac('another secret', body))).status).toBe(401);
    expect((await report(hmac(PAYMENTS_SECRET, body))).status).toBe(204);
    expect((await ada.get(`/v1/invoices/${id}`)).body.paidAt).not.toBeNull();
  });

  it('takes a PDF', async () => {
    const ada = await sessionOf(await context.server.person());
    const { id } = (await ada.post('/v1/invoices', INVOICE)).body;
    const attach = (type: string) =>
      ada.put(`/v1/invoices/${id}/document`, '%PDF-1.7', { headers: { 'Content-Type': type } });
    expect((await attach('text/html')).status).toBe(415);
    expect((await attach('application/pdf')).status).toBe(204);
  });

  it('is streamed as an event', async () => {
    const ada = await sessionOf(await context.server.person());
    const { id } = (await ada.post('/v1/invoices', INVOICE)).body;
    const stream = await ada.get('/v1/invoices/events');
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect(stream.body).toContain(`"id":"${id}"`);
    expect((await context.server.anonymous.get('/v1/invoices/events')).status).toBe(401);
  });
});
