// npm run screenshots: starts the server, uses the playground in Chromium, and writes docs/playground.png.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';

const USAGE = `Usage: npm run screenshots

Starts the server, and writes docs/playground.png. It needs Chromium.`;

if (parseArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help) {
  console.log(USAGE);
  process.exit();
}

const PICTURE = 'docs/playground.png';
const VIEWPORT = { width: 1200, height: 900 };

/** Starts the server, and returns the URL that it prints. */
async function start(): Promise<{ url: string; server: ChildProcess }> {
  const env = { ...process.env, PORT: '0', RATE_LIMITS: 'off' };
  const options = { env, stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] };
  const server = spawn(process.execPath, ['scripts/run.mjs', 'src/main.js'], options);
  for await (const line of createInterface(server.stdout)) {
    const url = /The playground is +(\S+)/.exec(line)?.[1];
    if (url) return { url, server };
  }
  throw new Error('the server did not start');
}

async function press(page: Page, button: string): Promise<void> {
  await page.click(button);
  await page.locator(`${button}:not([aria-busy])`).waitFor();
}

/** A picture of a finished race. It has no secrets, unlike the lanes. */
async function take(page: Page): Promise<void> {
  await page.fill('[name=email]', `ada.${Date.now()}@example.com`);
  await press(page, '#register');
  await press(page, '#race');
  const section = page.locator('section:has(#race-title)');
  await section.scrollIntoViewIfNeeded();
  const { y, height } = (await section.boundingBox())!;
  await page.screenshot({
    path: PICTURE,
    clip: { x: 0, y: y + 1, width: VIEWPORT.width, height: height + 8 },
  });
}

const { url, server } = await start();
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'light' });
  await page.goto(url);
  await take(page);
  console.log(`${PICTURE}: ${Math.round(statSync(PICTURE).size / 1000)} kB`);
} finally {
  await browser.close();
  server.kill('SIGTERM');
  await once(server, 'exit');
}
