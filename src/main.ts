import { createApp, stopApp } from './app.js';
import { ConfigError, withPort } from './platform/config/config.js';
import { StartError } from './platform/config/start-error.js';
import { type Environment, openEnvironment } from './commands/environment.js';
import { fail } from './commands/fail.js';
import { freePort } from './commands/free-port.js';
import { withNotice } from './commands/notice.js';

type Config = Environment['config'];

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

function greet(config: Config, { databaseUser }: Environment): void {
  const url = config.production ? config.ISSUER : `http://localhost:${config.PORT}`;
  console.log(`
  The server listens at  ${url}
${config.DOCS ? `  The API reference is   ${url}/docs\n` : ''}${databaseUser ? `  PostgreSQL runs as     ${databaseUser}, because it refuses to run as root\n` : ''}
  Try it:
  curl ${url}/v1/users -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
`);
}

async function serve(config: Config): Promise<void> {
  const app = await createApp(config);
  opened.push({ close: () => stopApp(app, config) });
  await app.listen(config.PORT, config.HOST);
}

/** The issuer must be known before the application is made, and names the port: so PORT=0 is decided here. */
async function serveOnFreePort(given: Config): Promise<Config> {
  for (;;) {
    const config = withPort(given, await freePort());
    try {
      await serve(config);
      return config;
    } catch (error) {
      // Another process took the port meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await opened.pop()?.close();
    }
  }
}

/** What the system says of a name or an address that does not belong to this machine. */
const FOREIGN = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/** What `listen` fails with, in the words of the settings. */
function explain(error: unknown, { HOST, PORT }: Config): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new StartError(`Port ${PORT} is in use. Stop the other server, or set PORT to another port.`);
  if (syscall === 'listen' && code === 'EACCES')
    return new StartError(`Port ${PORT} is reserved for privileged users. Set PORT to 1024 or higher.`);
  if (FOREIGN.has(code ?? '') && (syscall === 'listen' || (error as { hostname?: string }).hostname === HOST))
    return new ConfigError(['HOST: must be a name or an address of this machine']);
  return error;
}

async function start(): Promise<void> {
  const environment = await openEnvironment();
  opened.push(environment);
  let { config } = environment;
  try {
    await withNotice('Starting the server…', async () => {
      if (config.PORT === 0) config = await serveOnFreePort(config);
      else await serve(config);
    });
  } catch (error) {
    throw explain(error, config);
  }
  if (!closing) greet(config, environment);
}

await start().catch(async (error: unknown) => {
  // A signal in the middle of the start takes things away from it; that is no failure of its own.
  if (!closing) fail(error);
  await closeAll();
  process.exit();
});
