// room: users
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultyProxy } from './faulty-proxy.js';
import { signIn } from '../support/modes/any.js';
import type { Person } from '../support/person.js';
import { useServer } from '../support/server.js';
import { canRun, Running } from './toolchains.js';
import { until } from '../support/until.js';

const FOLDER = 'examples/clients';
const ME = '/v1/users/me';
const GET_ME = `GET ${ME}`;
const REFRESH = 'POST /v1/tokens/refresh';
const TOO_MANY = { status: 429, headers: { 'Retry-After': '1' } };
const UNAVAILABLE = { status: 503, headers: { 'Retry-After': '1' } };

const readme = await readFile(`${FOLDER}/README.md`, 'utf8');
/** The commands of the README. */
const commands = [...readme.matchAll(/^(?:npx|bash|python3|go) .+$/gm)].map(([command]) => command);
const here = commands.filter(canRun);

describe('the programs of people', () => {
  it('are all in the README', async () => {
    const found = await readdir(FOLDER, { recursive: true });
    const programs = found.filter((file) => /\.sh$|run\.ts$|run_\w+\.go$|_client\.py$/.test(file));
    const named = commands.map((command) => command.replace(/\*\.go (\w+)/, 'run_$1.go'));
    const files = named.map((command) => /examples\/clients\/(\S+)/.exec(command)![1]!);
    expect([...new Set(files)].toSorted()).toEqual(programs.toSorted());
  });

  if (process.env['REQUIRE_TOOLCHAINS'] === '1')
    it('can all be run here, where REQUIRE_TOOLCHAINS=1 asks for it', () => {
      expect(commands.filter((command) => !here.includes(command))).toEqual([]);
    });
  for (const command of commands.filter((one) => !here.includes(one)))
    it.skip(`${command}, which this machine cannot run`, () => undefined);

  const context = useServer();
  let proxy: FaultyProxy;
  let ada: Person;

  // Go compiles its own library first, where nobody has used it yet.
  beforeAll(() => Promise.all(here.map((command) => new Running(command, {}).end())), 300_000);
  beforeEach(async () => {
    proxy = await FaultyProxy.start(() => context.server.url);
    ada = await context.server.person();
  });
  afterEach(() => proxy.stop());

  const start = (command: string, env: Record<string, string> = {}) =>
    new Running(command, { EMAIL: ada.email, PASSWORD: ada.password, API_URL: proxy.url, ...env });
  const of = (pattern: RegExp) => here.filter((command) => pattern.test(command));

  // room: tokens
  const expire = () => context.server.clock.advance('11m');
  const endEverything = async () => (await signIn(ada)).delete('/v1/sessions');
  const fifty = (path: string) => Array.from({ length: 50 }, () => path).join(' ');
  /** The last access token and refresh token that a program has sent do not work any more. */
  async function expectSignedOut(): Promise<void> {
    const { authorization } = proxy.requests.findLast(({ line }) => line.startsWith('DELETE'))!.headers;
    const answer = await context.server.anonymous.with({ Authorization: authorization! }).get(ME);
    expect(answer.status).toBe(401);
  }

  describe.each(of(/^npx|token_client|go token/))('%s', (command) => {
    const signedIn = async () => {
      const program = start(command);
      await until(() => program.output === 'signed in\n' || program.errors !== '');
      proxy.requests.length = 0;
      /** Writes a line of paths, and returns the lines that the program then prints. */
      const ask = async (line: string) => {
        const before = program.output.length;
        program.write(line);
        const answers = () => program.output.slice(before).split('\n').slice(0, -1);
        await until(() => answers().length === line.split(' ').length || program.errors !== '');
        expect(program.errors).toBe('');
        return answers();
      };
      return { program, ask };
    };

    it('refreshes once for 50 parallel requests, and survives a lost answer and refusals', async () => {
      const { program, ask } = await signedIn();
      await expire();
      expect(await ask(fifty(ME))).toEqual(Array.from({ length: 50 }, () => `200 ${ME}`));
      expect(proxy.count(REFRESH)).toBe(1);

      await expire();
      proxy.fail(REFRESH, 'lose', UNAVAILABLE);
      expect(await ask(ME)).toEqual([`200 ${ME}`]);
      expect(proxy.count(REFRESH)).toBe(4);

      proxy.requests.length = 0;
      proxy.fail(GET_ME, TOO_MANY, UNAVAILABLE);
      expect(await ask(ME)).toEqual([`200 ${ME}`]);
      const [first, second, third] = proxy.requests.map(({ at }) => at);
      expect(Math.min(second! - first!, third! - second!)).toBeGreaterThanOrEqual(990);

      expect(await program.end()).toBe(0);
      expect(program.output).toMatch(/signed out\n$/);
      await expectSignedOut();
    });

    it('gives up after four attempts, or where the wait is long', async () => {
      const { program, ask } = await signedIn();
      const refusal = { status: 429, headers: { 'Retry-After': '0' } };
      proxy.fail(GET_ME, refusal, refusal, refusal, refusal);
      expect([await ask(ME), proxy.count(GET_ME)]).toEqual([[`429 ${ME}`], 4]);
      proxy.fail(GET_ME, { status: 503, headers: { 'Retry-After': '31' } });
      expect([await ask(ME), proxy.count(GET_ME)]).toEqual([[`503 ${ME}`], 5]);
      await program.end();
    });

    it('sends the token nowhere else', async () => {
      const { program } = await signedIn();
      proxy.fail(GET_ME, { status: 302, headers: { Location: '/elsewhere' } });
      program.write(ME);
      program.write('@elsewhere.example.com/');
      expect(await program.end()).toBe(1);
      expect(program.errors).toMatch(/path must begin with \/|redirect/);
      expect(proxy.requests.map(({ line }) => line)).toEqual([GET_ME]);
    });

    it('says that the sign-in has ended if it is revoked, after one refresh', async () => {
      const { program } = await signedIn();
      await endEverything();
      program.write(fifty(ME));
      expect(await program.end()).toBe(1);
      expect(program.errors).toMatch(/sign-in has ended/);
      expect(proxy.count(REFRESH)).toBe(1);
    });
  });

  describe.each(of(/token\.sh sign-in/))('%s', (command) => {
    let home: string;
    let run: (action: string, count?: number) => Promise<{ code: number | null; output: string }>;

    beforeEach(async () => {
      home = await mkdtemp(join(tmpdir(), 'auth-modes-client-'));
      run = async (action, count = 1) => {
        const once = command.replace('sign-in', action);
        const program = start(`seq ${count} | xargs -P ${count} -I {} ${once}`, { HOME: home });
        const code = await program.end();
        return { code, output: program.output + program.errors };
      };
      await run('sign-in');
      proxy.requests.length = 0;
    });
    afterEach(() => rm(home, { recursive: true }));

    it('refreshes once for 50 processes, and survives a lost answer and refusals', async () => {
      await expire();
      const { code, output } = await run(`get ${ME}`, 50);
      expect([code, output.split(ada.email).length - 1]).toEqual([0, 50]);
      expect(proxy.count(REFRESH)).toBe(1);

      await expire();
      proxy.fail(REFRESH, 'lose', UNAVAILABLE);
      proxy.fail(GET_ME, TOO_MANY);
      expect(await run(`get ${ME}`)).toMatchObject({ code: 0 });
      expect(proxy.count(REFRESH)).toBe(4);

      expect(await run('sign-out')).toEqual({ code: 0, output: '' });
      await expectSignedOut();
    });

    it('says that the sign-in has ended if it is revoked, after one refresh', async () => {
      await endEverything();
      const { code, output } = await run(`get ${ME}`);
      expect([code === 0, output]).toEqual([false, expect.stringContaining('The sign-in has ended.')]);
      expect(await run(`get ${ME}`)).toMatchObject({ output: expect.stringContaining('has ended') });
      expect(proxy.count(REFRESH)).toBe(1);
    });
  });
  // /room

  // room: sessions
  it.each(of(/session/))('%s changes something, and ends the session', async (command) => {
    proxy.fail('POST /v1/sessions', UNAVAILABLE);
    proxy.fail(`PATCH ${ME}`, TOO_MANY);
    const program = start(command, { NAME: 'Ada Lovelace' });
    const code = await program.end();
    expect([code, program.output.trim().split('\n').length]).toEqual([0, 2]);
    expect(program.output).toMatch(/Ada Lovelace"?.*\n401\n$/);
    const { cookie } = proxy.requests.findLast(({ line }) => line.startsWith('DELETE'))!.headers;
    expect((await context.server.anonymous.with({ Cookie: cookie! }).get(ME)).status).toBe(401);
    expect((await (await signIn(ada)).get(ME)).body).toMatchObject({ name: 'Ada Lovelace' });
  });
  // /room
});
// /room
