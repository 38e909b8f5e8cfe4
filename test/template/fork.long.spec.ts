import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Clone } from './clone.js';

const PASSED = expect.objectContaining({ status: 0 });

const ROOMS = `
export { InvoicesModule } from './invoices/invoices.module.js';
export { TenantsModule } from './tenants/tenants.module.js';
export { IdentityProviderModule } from './identity-provider/identity-provider.module.js';
`;
const SETTINGS = `
## Your settings

| Variable           | Default                                             | Meaning                         |
| ------------------ | --------------------------------------------------- | ------------------------------- |
| \`INVOICE_CURRENCY\` | \`EUR\`; required in production                       | the currency of invoices        |
| \`PAYMENTS_SECRET\`  | required in production                              | signs the webhook of payments   |
| \`IDP_ISSUER\`       | \`https://login.example.com/\`; required in production | the issuer of the mode \`idp\`    |
`;
const REQUIRED = `  INVOICE_CURRENCY: 'EUR',
  PAYMENTS_SECRET: 'a-secret-of-the-payment-provider',
  IDP_ISSUER: 'https://login.example.com/',
`;

/** A resource, a role, settings, a requirement of declarations and a mode, as docs/make-it-yours.md adds them. */
// Each test runs other runs of tests.
jest.setTimeout(3_600_000);

describe('a fork with rooms of its own', () => {
  let clone: Clone;
  beforeAll(async () => {
    clone = await Clone.make();
    await clone.add('test/template/fork');
    await clone.change('src/rooms.ts', (text) => text + ROOMS.trimStart());
    await clone.change('docs/configuration.md', (text) => text + SETTINGS);
    await clone.change('test/support/production.ts', (text) => text.replace(/^};$/m, `${REQUIRED}};`));
    await clone.npm('run', 'format');
  });
  afterAll(() => clone.delete());

  it('passes the checks of types, of lint and of unused code', async () => {
    expect(await clone.npm('run', 'types')).toEqual(PASSED);
    expect(await clone.npm('run', 'lint')).toEqual(PASSED);
    expect(await clone.npm('run', 'unused')).toEqual(PASSED);
  });

  it('has its routes in the list, with its mode and its requirement', async () => {
    const { output } = await clone.npm('run', 'routes');
    const lines = output.split('\n').map((line) => line.replaceAll(/\s+/g, ' '));
    expect(lines).toContainEqual(expect.stringMatching(/^ ?GET \/v1\/invoices .*\bidp\b.* invoices:read/));
    expect(lines).toContainEqual(expect.stringMatching(/^ ?GET \/v1\/tenants\/current .*\btenant\b/));
  });

  it('passes its own tests', async () => {
    expect(await clone.npm('test', '--', 'test/invoices', 'test/tenants', 'test/identity-provider')).toEqual(
      PASSED,
    );
  });

  it('passes the tests of the template that cover all rooms, without a change', async () => {
    const specs = ['access-matrix', 'access-table', 'architecture', 'config.spec', 'docs.spec'];
    expect(
      await clone.npm('test', '--', ...specs, 'test/accounts/users/production', 'openapi.spec', 'migrations'),
    ).toEqual(PASSED);
  });
});
