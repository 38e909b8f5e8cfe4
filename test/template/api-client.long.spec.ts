import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KEY_PATTERN } from '../../src/modes/api-keys/api-key.format.js';
import { apiKeyOf, type KeyClient } from '../support/modes/api-key.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { useServer } from '../support/server.js';
import { canRun, Running } from './toolchains.js';

const readme = await readFile('src/modes/api-keys/README.md', 'utf8');
/** The commands that the README tells a customer's developer. */
const commands = [...readme.matchAll(/^\S.* (examples\/api-client\/\S+)$/gm)].map(
  ([command, file]) => [file!, command] as const,
);

interface Result {
  code: number | null;
  output: string;
  errors: string;
}

async function run(command: string, env: NodeJS.ProcessEnv): Promise<Result> {
  const running = new Running(command, env);
  const code = await running.end();
  return { code, output: running.output, errors: running.errors };
}

describe('the programs that use a key', () => {
  it('are all in the README', async () => {
    const files = await readdir('examples/api-client');
    expect(commands.map(([file]) => file).toSorted()).toEqual(
      files.map((file) => `examples/api-client/${file}`).toSorted(),
    );
  });

  it('have no key in their source', async () => {
    for (const [file] of commands) expect(await readFile(file, 'utf8')).not.toMatch(new RegExp(KEY_PATTERN));
  });

  if (process.env['REQUIRE_TOOLCHAINS'] === '1')
    it('can all be run here, where REQUIRE_TOOLCHAINS=1 asks for it', () => {
      expect(commands.filter(([, command]) => !canRun(command))).toEqual([]);
    });

  const here = commands.filter(([, command]) => canRun(command));
  for (const [file] of commands.filter((one) => !here.includes(one)))
    it.skip(`${file}, which this machine cannot run`, () => undefined);

  const context = useServer();
  let ada: Person;
  /** What a server of the test's own was sent, by the beginning of the path, which says which program it was. */
  const keysSent = new Map<string, unknown[]>();
  let limiting: string;
  let redirecting: string;

  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close().closeAllConnections()));
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const programOf = ({ url }: IncomingMessage) => url!.split('/')[1]!;
  const remember = (request: IncomingMessage) => {
    const program = programOf(request);
    keysSent.set(program, [...(keysSent.get(program) ?? []), request.headers['x-api-key']]);
  };

  beforeAll(async () => {
    ada = await context.server.person();
    const session = await sessionOf(ada);
    for (const item of ['Tea', 'Crème brûlée', 'Scones'])
      await session.post('/v1/orders', { item, quantity: item.length });
    limiting = await serve((request, answer) => {
      remember(request);
      answer
        .writeHead(keysSent.get(programOf(request))!.length % 2 === 1 ? 429 : 503, { 'Retry-After': '1' })
        .end('{"title":"Too many requests"}');
    });
    const elsewhere = await serve((request, answer) => {
      remember(request);
      answer.end('{"items":[],"nextCursor":null}');
    });
    redirecting = await serve(({ url }, answer) =>
      answer.writeHead(302, { Location: elsewhere + url }).end(),
    );
  });
  beforeEach(() => keysSent.clear());

  /** Runs each program that can be run here, all at the same time. */
  const runAll = (envOf: (file: string) => Record<string, string>) =>
    Promise.all(here.map(async ([file, command]) => ({ file, ...(await run(command, envOf(file))) })));
  // Go compiles its own library first, where nobody has used it yet.
  beforeAll(() => runAll(() => ({})), 300_000);
  const nameOf = (file: string) => file.split('/').at(-1)!;

  it('list the orders, and wait where the limit of the key is used up', async () => {
    const keys = new Map<string, KeyClient>();
    for (const [file] of here) {
      const key = await apiKeyOf(ada, ['orders:read'], { rateLimit: { requests: 1, windowSeconds: 5 } });
      keys.set(file, key);
    }
    await Promise.all([...keys.values()].map((key) => key.get('/v1/orders')));
    const results = await runAll((file) => ({ API_KEY: keys.get(file)!.key, API_URL: context.server.url }));
    for (const { file, code, output, errors } of results) {
      expect([file, code, errors]).toEqual([file, 0, file.endsWith('.sh') ? expect.any(String) : '']);
      const orders = file.endsWith('.sh')
        ? JSON.parse(output).items.map(({ item }: { item: string }) => item)
        : output.trimEnd().split('\n');
      expect([file, orders]).toEqual([
        file,
        file.endsWith('.sh')
          ? ['Scones', 'Crème brûlée', 'Tea']
          : ['6 x Scones', '12 x Crème brûlée', '3 x Tea'],
      ]);
    }
    const limited = (await context.server.entries()).filter(({ status }) => status === 429);
    for (const [file, { id }] of keys)
      expect([file, limited.some(({ credentialId }) => credentialId === id)]).toEqual([file, true]);
  });

  it('give up after five attempts', async () => {
    const key = await apiKeyOf(ada, ['orders:read']);
    const results = await runAll((file) => ({ API_KEY: key.key, API_URL: `${limiting}/${nameOf(file)}` }));
    for (const { file, code } of results)
      expect([file, code === 0, keysSent.get(nameOf(file))]).toEqual([
        file,
        false,
        Array.from({ length: 5 }, () => key.key),
      ]);
  });

  it('send the key nowhere else', async () => {
    const key = await apiKeyOf(ada, ['orders:read']);
    const results = await runAll((file) => ({ API_KEY: key.key, API_URL: `${redirecting}/${nameOf(file)}` }));
    for (const { file, code, output } of results)
      expect([file, code === 0, output, keysSent.get(nameOf(file))]).toEqual([file, false, '', undefined]);
  });

  it('say what is wrong with a key, and that it is missing, and never the key', async () => {
    const { key } = await apiKeyOf(ada, ['orders:read']);
    for (const { file, code, output, errors } of await runAll(() => ({
      API_KEY: `${key}x`,
      API_URL: context.server.url,
    }))) {
      expect([file, code === 0]).toEqual([file, false]);
      expect(output + errors).toContain('The credential is not valid');
      expect(output + errors).not.toContain(key);
    }
    for (const { file, code, errors } of await runAll(() => ({ API_URL: context.server.url })))
      expect([file, code === 0, errors]).toEqual([
        file,
        false,
        expect.stringMatching(/API_KEY:? is not set/),
      ]);
  });
});
