import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../support/client.js';
import { credentials } from '../support/modes/any.js';
import { sendRaw } from '../support/raw-http.js';
import { TestServer, useServer } from '../support/server.js';
import type { Strategies } from './strategies.fixture.js';

const PEOPLE = 20;
const REQUESTS = 200;
const OTHER_ORIGIN = 'https://app.example.com';
const WHO = '/v1/probes/principal';

interface StrategyCase {
  readonly name: string;
  readonly mode: string;
  readonly of: string;
  readonly scheme: string;
  readonly person: boolean;
  /** How its credential is presented, unless as the client of its mode does. */
  readonly present?: (headers: Readonly<Record<string, string>>) => Record<string, string>;
}

/** Every strategy, with its mode and the package that it comes from. */
const STRATEGIES: readonly StrategyCase[] = [
  // room: sessions
  { name: 'session', mode: 'session', of: 'passport-strategy', scheme: 'Session', person: true },
  // /room
  // room: jwt
  { name: 'jwt', mode: 'jwt', of: 'passport-jwt', scheme: 'Bearer', person: true },
  // /room
  // room: opaque-tokens
  { name: 'opaque', mode: 'opaque', of: 'passport-strategy', scheme: 'Bearer', person: true },
  // /room
  // room: api-keys
  { name: 'api-key', mode: 'api-key', of: 'passport-headerapikey', scheme: 'ApiKey', person: false },
  {
    name: 'api-key-authorization',
    mode: 'api-key',
    of: 'passport-headerapikey',
    scheme: 'ApiKey',
    person: false,
    present: (headers) => ({ Authorization: `ApiKey ${headers['X-API-Key']}` }),
  },
  // /room
];

/** Somebody with a credential that a strategy takes. */
async function caller(server: TestServer, { mode, present }: StrategyCase): Promise<Client> {
  const client = await credentials.find((kind) => kind.mode === mode)!.of(server, ['probes:read']);
  return present ? server.anonymous.with(present(client.headers)) : client;
}

/** One for each strategy. */
async function callers(server: TestServer): Promise<Record<string, Client>> {
  const all: Record<string, Client> = {};
  for (const strategy of STRATEGIES) all[strategy.name] = await caller(server, strategy);
  return all;
}

describe('strategies', () => {
  const context = useServer({
    fixture: 'test/auth/strategies.fixture.ts#trial',
    env: { RATE_LIMITS: 'off', CORS_ORIGINS: OTHER_ORIGIN },
  });
  let clients: Record<string, Client>;
  beforeAll(async () => {
    clients = await callers(context.server);
  });

  const strategies = () => context.server.provider<Strategies>('Strategies');

  const answerBy = async (name: string) => {
    const { status, problem } = await clients[name]!.get(WHO);
    return problem ? `${status} ${problem}` : status;
  };

  describe.each(STRATEGIES)('the strategy $name', ({ name, of }) => {
    it(`is a strategy of ${of}`, async () => {
      expect(await strategies().isOf(name, of)).toBe(true);
    });

    it('breaks its own mode and no other when it is removed', async () => {
      await strategies().remove(name);
      try {
        for (const one of STRATEGIES)
          expect([one.name, await answerBy(one.name)]).toEqual([
            one.name,
            one.name === name ? '500 internal-error' : 200,
          ]);
      } finally {
        await strategies().restore(name);
      }
      expect(await answerBy(name)).toBe(200);
      expect((await context.server.log()).join('')).toContain(
        `Unknown authentication strategy \\"${name}\\"`,
      );
    });

    it('decides about its credentials', async () => {
      await strategies().refuse(name);
      try {
        expect(await answerBy(name)).toBe('401 invalid-credential');
      } finally {
        await strategies().restore(name);
      }
    });

    it('is not in the Passport that the whole process shares', async () => {
      expect(await strategies().isShared(name)).toBe(false);
    });
  });

  describe('many requests at once', () => {
    /** Of each strategy, clients of different people with the people's ids. */
    const everybody: Record<string, { client: Client; id: string }[]> = {};
    beforeAll(async () => {
      for (const strategy of STRATEGIES)
        everybody[strategy.name] = await Promise.all(
          Array.from({ length: PEOPLE }, async () => {
            const client = await caller(context.server, strategy);
            return { client, id: (await client.get(WHO)).body.subject as string };
          }),
        );
    });

    it.each(STRATEGIES)('get the principal of their own credential by $name', async ({ name }) => {
      const people = everybody[name]!;
      expect(new Set(people.map(({ id }) => id)).size).toBe(PEOPLE);
      const seen = await Promise.all(
        Array.from({ length: REQUESTS }, async (_, i) => {
          const { id, client } = people[i % PEOPLE]!;
          return { id, subject: (await client.get(WHO)).body.subject };
        }),
      );
      expect(seen.filter(({ id, subject }) => id !== subject)).toEqual([]);
    });

    it('get the principal of their own credential by all strategies together', async () => {
      const seen = await Promise.all(
        Array.from({ length: REQUESTS }, async (_, i) => {
          const { name, mode } = STRATEGIES[i % STRATEGIES.length]!;
          const { id, client } = everybody[name]![(i * 7) % PEOPLE]!;
          const { body } = await client.get(WHO);
          return { expected: [id, mode], seen: [body.subject, body.mode] };
        }),
      );
      expect(seen.map((one) => one.seen)).toEqual(seen.map((one) => one.expected));
    });
  });

  describe('two applications in one process', () => {
    it('know their own credentials and no others', async () => {
      const second = await TestServer.start();
      try {
        const theirs = await callers(second);
        for (const { name } of STRATEGIES) {
          expect((await theirs[name]!.get(WHO)).status).toBe(200);
          expect((await clients[name]!.get(WHO)).status).toBe(200);
          const { headers } = theirs[name]!;
          const strayed = await context.server.anonymous.get(WHO, { headers });
          expect([name, strayed.problem]).toEqual([name, 'invalid-credential']);
        }
      } finally {
        await second.stop();
      }
    });
  });

  const callOnTrial = (behaviour: string, path = WHO) =>
    context.server.anonymous.get(path, { headers: { 'X-Trial': behaviour } });

  describe('a strategy of a new mode', () => {
    it('lets in the principal that its mode verified', async () => {
      const { status, body } = await callOnTrial('succeed');
      expect({ status, mode: body.mode, subject: body.subject }).toEqual({
        status: 200,
        mode: 'trial',
        subject: '01890000-0000-7000-8000-000000000000',
      });
    });

    it('lets in no machine on a route for people', async () => {
      const { status, problem, challenges } = await callOnTrial('succeed', '/v1/trials/people');
      expect({ status, problem, challenges }).toEqual({
        status: 403,
        problem: 'person-required',
        challenges: null,
      });
    });

    it('is named in the challenges of the routes that accept it, once for all modes of its scheme', async () => {
      const trial = { scheme: 'Trial', person: true };
      for (const [path, accepted] of [
        ['/v1/trials/people', [...STRATEGIES.filter(({ person }) => person), trial]],
        [WHO, [...STRATEGIES, trial]],
      ] as const) {
        const { challenges } = await context.server.anonymous.get(path);
        const schemes = new Set(accepted.map(({ scheme }) => `${scheme} realm="api"`));
        expect([path, challenges!.split(', ').toSorted()]).toEqual([path, [...schemes].toSorted()]);
      }
    });

    it.each([
      'pass on',
      'take nothing',
      'take an empty text',
      'take what is no text',
      'verify nobody',
      'verify a lookalike',
      'refuse the credential',
      'fail and then succeed',
      'pass on and then succeed',
      'have an error that is none',
    ])('is refused if it does this: %s', async (behaviour) => {
      const { status, problem } = await callOnTrial(behaviour);
      expect({ status, problem }).toEqual({ status: 401, problem: 'invalid-credential' });
    });

    it.each(['have an error', 'throw', 'redirect', 'break while it verifies'])(
      'is an error of the server if it does this: %s',
      async (behaviour) => {
        const { status, problem, headers } = await callOnTrial(behaviour);
        expect({ status, problem, location: headers.get('location') }).toEqual({
          status: 500,
          problem: 'internal-error',
          location: null,
        });
      },
    );

    it('is not asked beside another explicit credential', async () => {
      for (const { name } of STRATEGIES.filter(({ mode }) => mode !== 'session')) {
        const { problem } = await clients[name]!.get(WHO, { headers: { 'X-Trial': 'succeed' } });
        expect([name, problem]).toEqual([name, 'ambiguous-credentials']);
      }
    });

    it('has one credential for each header that came over the wire', async () => {
      const lines = [`GET ${WHO} HTTP/1.1`, 'Host: localhost', 'X-Trial: succeed', 'x-trial: succeed'];
      const { problem } = await sendRaw(
        context.server.url,
        [...lines, 'Connection: close', '', ''].join('\r\n'),
      );
      expect(problem).toBe('ambiguous-credentials');
    });

    it('has its headers allowed by CORS', async () => {
      const { headers } = await context.server.anonymous.call('OPTIONS', WHO, {
        headers: { Origin: OTHER_ORIGIN, 'Access-Control-Request-Method': 'GET' },
      });
      const allowed = headers.get('access-control-allow-headers')!.split(', ');
      expect(allowed).toEqual(expect.arrayContaining(['X-Trial', 'X-Trial-Note']));
    });

    // room: sessions
    it('wins over the cookie', async () => {
      const session = clients['session']!;
      const succeeds = await session.get(WHO, { headers: { 'X-Trial': 'succeed' } });
      expect(succeeds.body.mode).toBe('trial');
      const fails = await session.get(WHO, { headers: { 'X-Trial': 'pass on' } });
      expect(fails.problem).toBe('invalid-credential');
    });
    // /room

    it('is registered once', async () => {
      await expect(strategies().register('trial')).rejects.toThrow('the mode "trial" is registered twice');
    });

    it('has a name that no other mode uses', async () => {
      await expect(strategies().register('another-trial')).rejects.toThrow(
        'the strategy "trial" is registered twice',
      );
    });
  });
});
