import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInChromium, launchChromium } from '../support/chromium.js';
import { PASSWORD, useServer } from '../support/server.js';

describeInChromium('server-rendered pages in a browser', () => {
  const context = useServer({ fixture: 'test/template/server-rendered.fixture.ts#pages' });
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it('sign a person in and take an order, without a script', async () => {
    const ada = await context.server.person();
    const tab = await browser.newContext({ javaScriptEnabled: false });
    const page = await tab.newPage();
    // Browsers accept a `__Host-` cookie over http on localhost only.
    await page.goto(`${context.server.url.replace('127.0.0.1', 'localhost')}/orders`);
    await page.getByLabel('Email').fill(ada.email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Item').fill('Tea & <b>biscuits</b>');
    await page.getByRole('button', { name: 'Order' }).click();
    expect(await page.getByRole('listitem').allTextContents()).toEqual(['Tea & <b>biscuits</b>']);
    await tab.close();
  });
});
