import { pathToFileURL } from 'node:url';
import { built } from './build.js';
import { type Fixture, InProcessServer } from './in-process.js';
import type { RemoteOptions } from './server.js';

/** A request over the channel. The answer has the same id. */
export interface Call {
  readonly id: number;
  readonly server: number;
  readonly method: 'start' | 'stop' | 'log' | 'clock' | 'provider';
  readonly options: readonly any[];
}
export type Reply = { readonly id: number; readonly value?: unknown; readonly error?: string };

const servers = new Map<number, InProcessServer>();

async function answer({ server: number, method, options }: Call): Promise<unknown> {
  if (method === 'start') {
    const { url, config } = await start(number, options[0]);
    return { url, config };
  }
  const server = servers.get(number);
  if (!server) throw new Error(`the server ${number} does not run`);
  if (method === 'log') return server.log;
  const [name, ...rest] = options;
  if (method === 'clock') return (server.clock as any)[name](...rest);
  if (method === 'provider')
    return dataOf(await (server.provider<any>(name) as any)[rest[0]](...rest.slice(1)));
  servers.delete(number);
  return server.close();
}

async function start(number: number, { fixture, ...options }: RemoteOptions): Promise<InProcessServer> {
  const server = await InProcessServer.start({ ...options, ...(fixture && (await load(fixture))) });
  servers.set(number, server);
  return server;
}

async function load(fixture: NonNullable<RemoteOptions['fixture']>): Promise<Fixture> {
  const [file, name] = fixture.split('#') as [string, string];
  const exported = await import(pathToFileURL(built(file.replace(/ts$/, 'js'))).href);
  if (!exported[name]) throw new Error(`${file} does not export ${name}`);
  return exported[name];
}

/** The data of a value. Functions and instances of classes, such as a strategy in a mode, stay in this process. */
function dataOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dataOf);
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value))
    return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, dataOf(field)]));
}

const reply = (message: Reply) => process.send!(message);

process.on('message', (call: Call) => {
  answer(call).then(
    (value) => reply({ id: call.id, value }),
    (error: unknown) =>
      reply({
        id: call.id,
        error: error instanceof Error ? `${error.constructor.name}: ${error.stack}` : String(error),
      }),
  );
});
process.on('disconnect', () => process.exit());
