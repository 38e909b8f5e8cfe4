import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.js';
import { openEnvironment, type Environment } from './start/environment.js';
import { fail } from './start/fail.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Requests in flight finish, what is gathered in memory is written, then the database stops. */
function closeOnSignal(app: NestFastifyApplication, environment: Environment): void {
  let closing = false;
  const close = async () => {
    if (closing) return;
    closing = true;
    await app.close().catch(fail);
    await environment.close().catch(fail);
    process.exit();
  };
  for (const signal of SIGNALS) process.on(signal, () => void close());
}

function greet(environment: Environment, port: number): void {
  const url = environment.config.production ? environment.config.ISSUER : `http://localhost:${port}`;
  console.log(`
  The server listens at  ${url}
  The API reference is   ${url}/docs

  Try it:
  curl ${url}/v1/users -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
`);
}

async function start(): Promise<void> {
  const environment = await openEnvironment();
  try {
    const { config } = environment;
    const app = await createApp(config);
    closeOnSignal(app, environment);
    await app.listen(config.PORT, config.HOST);
    const address = app.getHttpServer().address() as { port: number };
    greet(environment, address.port);
  } catch (error) {
    await environment.close();
    throw error;
  }
}

await start().catch((error: unknown) => {
  fail(error);
  process.exit();
});
