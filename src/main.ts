import { createApp, stopApp } from './app.js';
import { ConfigError, withPort } from './platform/config/config.js';
import { StartError } from './platform/config/start-error.js';
import { asksForHelp, helpOf, readArguments, type Usage } from './platform/commands/arguments.js';
import { type Environment, openEnvironment } from './commands/environment.js';
import { fail } from './commands/fail.js';
import { freePort } from './commands/free-port.js';
import { withNotice } from './commands/notice.js';

type Config = Environment['config'];

const USAGE: Usage = {
  script: 'start',
  purpose: 'Starts the server. Environment variables configure it: see docs/configuration.md.',
};

/** Closed at the end, in reverse order. */
const opened: { close(): Promise<unknown> }[] = [];
let closing: Promise<void> | undefined;

/** Waits for DRAIN_TIME, finishes requests, writes pending data, then stops the embedded database. */
function closeAll(): Promise<void> {
  closing ??= (async () => {
    for (const part of opened.toReversed()) await part.close().catch(fail);
  })();
  return closing;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void closeAll().then(() => process.exit()));

function greet(environment: Environment): void {
  const { production, ISSUER, PORT, DOCS } = environment.config;
  const url = production ? ISSUER : `http://localhost:${PORT}`;
  const lines = [`The server listens at  ${url}`];
  // room: playground
  if (environment.config.PLAYGROUND) lines.push(`The playground is      ${url}/`);
  // /room
  if (DOCS) lines.push(`The API reference is   ${url}/docs`);
  // room: embedded-postgres
  const { databaseUser } = environment;
  if (databaseUser) lines.push(`PostgreSQL runs as     ${databaseUser}, because it refuses to run as root`);
  // /room
  // room: users
  const person = '{"email":"ada@example.com","password":"correct horse battery staple"}';
  if (!production)
    lines.push('', 'Try it:', `curl ${url}/v1/users -H 'Content-Type: application/json' -d '${person}'`);
  // /room
  console.log(`\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`);
}

async function serve(config: Config): Promise<void> {
  const app = await createApp(config);
  opened.push({ close: () => stopApp(app, config) });
  await app.listen(config.PORT, config.HOST);
}

/** Chooses a port for PORT=0, because the issuer contains it and must be known before the application is created. */
async function serveOnFreePort(given: Config): Promise<Config> {
  for (;;) {
    const config = withPort(given, await freePort());
    try {
      await serve(config);
      return config;
    } catch (error) {
      // Another process has taken the port.
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await opened.pop()?.close();
    }
  }
}

/** Error codes for a name or address that does not belong to this machine. */
const FOREIGN = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/** Explains an error of `listen` by the setting to change. */
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

async function start(argv: string[]): Promise<void> {
  if (asksForHelp(argv)) {
    console.log(helpOf(USAGE));
    process.exit();
  }
  readArguments(USAGE, argv);
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
  if (!closing) greet({ ...environment, config });
}

await start(process.argv.slice(2)).catch(async (error: unknown) => {
  // A signal during the start can cause errors, which are not failures of the start.
  if (!closing) fail(error);
  await closeAll();
  process.exit();
});
