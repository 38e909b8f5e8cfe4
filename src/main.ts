import { fail } from './start/fail.js';
import { openEnvironment, type Environment } from './start/environment.js';
import { listen } from './start/listen.js';

/** What is to be closed at the end, last opened first. */
const opened: { close(): Promise<unknown> }[] = [];
let closing: Promise<void> | undefined;

/** DRAIN_TIME passes, requests in flight finish, what is gathered in memory is written, then the database stops. */
function closeAll(): Promise<void> {
  closing ??= (async () => {
    for (const part of opened.toReversed()) await part.close().catch(fail);
  })();
  return closing;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void closeAll().then(() => process.exit()));

function greet({ config }: Environment, port: number): void {
  const url = config.production ? config.ISSUER : `http://localhost:${port}`;
  console.log(`
  The server listens at  ${url}
${config.DOCS ? `  The API reference is   ${url}/docs\n` : ''}
  Try it:
  curl ${url}/v1/users -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
`);
}

async function start(): Promise<void> {
  const environment = await openEnvironment();
  opened.push(environment);
  // Loaded now: a configuration that is not usable is refused before a second is spent on it.
  const { createApp, stopApp } = await import('./app.js');
  const app = await createApp(environment.config);
  opened.push({ close: () => stopApp(app, environment.config) });
  const port = await listen(app, environment.config);
  if (!closing) greet(environment, port);
}

await start().catch(async (error: unknown) => {
  // A signal in the middle of the start takes things away from it; that is no failure of its own.
  if (!closing) fail(error);
  await closeAll();
  process.exit();
});
