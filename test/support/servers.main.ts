import { InProcessServer, type ServerOptions } from './in-process.js';

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
  if (method === 'provider') return (server.provider<any>(name) as any)[rest[0]](...rest.slice(1));
  servers.delete(number);
  return server.close();
}

async function start(number: number, options: ServerOptions): Promise<InProcessServer> {
  const server = await InProcessServer.start(options);
  servers.set(number, server);
  return server;
}

function reply(message: Reply): void {
  try {
    process.send!(message);
  } catch {
    // What cannot be cloned, such as the handlers of routes, is left out.
    process.send!(JSON.parse(JSON.stringify(message)));
  }
}

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
