import passport from 'passport';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { Strategy as PassportJwtStrategy } from 'passport-jwt';
import { Strategy } from 'passport-strategy';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import { ModeRegistry } from '../../src/auth/mode-registry.js';
import { adapt } from '../../src/auth/passport.js';
import { InvalidCredentialError } from '../../src/auth/auth.errors.js';
import { Principal, type PrincipalFields } from '../../src/auth/principal.js';
import { Client } from '../support/client.js';
import { InProcessServer } from '../support/in-process.js';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { opaqueOf } from '../support/modes/opaque.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { sendRaw } from '../support/raw-http.js';
import { useStarted } from '../support/server.js';

const PEOPLE = 20;
const REQUESTS = 200;
const OTHER_ORIGIN = 'https://app.example.com';

/** Every strategy, with its mode and the class that a package gives it. */
const STRATEGIES = [
  { name: 'session', mode: 'session', of: 'passport-strategy', Package: Strategy },
  { name: 'jwt', mode: 'jwt', of: 'passport-jwt', Package: PassportJwtStrategy },
  { name: 'opaque', mode: 'opaque', of: 'passport-strategy', Package: Strategy },
  { name: 'api-key', mode: 'api-key', of: 'passport-headerapikey', Package: HeaderAPIKeyStrategy },
  {
    name: 'api-key-authorization',
    mode: 'api-key',
    of: 'passport-headerapikey',
    Package: HeaderAPIKeyStrategy,
  },
] as const;
type StrategyName = (typeof STRATEGIES)[number]['name'];

/** What a Passport has, by name. */
const strategiesOf = (instance: object) =>
  (instance as { _strategies: Record<string, Strategy> })._strategies;

/** A client of a person for each strategy. */
async function signInByAll(server: InProcessServer, person: Person): Promise<Record<StrategyName, Client>> {
  const key = await apiKeyOf(person, ['probes:read']);
  return {
    session: await sessionOf(person),
    jwt: await jwtOf(person),
    opaque: await opaqueOf(person),
    'api-key': key,
    'api-key-authorization': new Client(server.url, server.secrets, { Authorization: `ApiKey ${key.key}` }),
  };
}

class RefusingStrategy extends Strategy {
  override authenticate(): void {
    this.fail(401);
  }
}

const TRIAL = 'trial' as AuthMode;
const SOMEBODY: PrincipalFields = {
  mode: TRIAL,
  kind: 'machine',
  subject: '01890000-0000-7000-8000-000000000000',
  credentialId: 'trial',
  scopes: ['sessions:read'],
};

/** A strategy of a package, which does what the request's `X-Trial` says. */
class TrialStrategy extends Strategy {
  constructor(
    readonly header: string,
    readonly verify: (taken: string, done: (error: Error | null, credential?: unknown) => void) => void,
  ) {
    super();
  }

  override authenticate(request: unknown): void {
    const behaviour = String((request as FastifyRequest).headers[this.header]);
    const taken = (credential: string) =>
      this.verify(credential, (error, one) => (error ? this.error(error) : this.success(one)));
    const behaviours: Record<string, () => void> = {
      'pass on': () => this.pass(),
      'take nothing': () => this.success(undefined),
      'take an empty text': () => taken(''),
      'take what is no text': () => this.success({ ...SOMEBODY, missing: () => [], can: () => true }),
      'fail and then succeed': () => (this.fail(401), this.success('succeed')),
      'pass on and then succeed': () => (this.pass(), this.success('succeed')),
      'have an error that is none': () => this.error(undefined as unknown as Error),
      'have an error': () => this.error(new Error('broken')),
      throw: () => {
        throw new Error('broken');
      },
      redirect: () => this.redirect('https://elsewhere.example'),
    };
    const behave = behaviours[behaviour];
    if (behave) behave();
    else taken(behaviour);
  }
}

/** What the mode makes of the credential that its strategy took. */
const VERDICTS: Record<string, () => unknown> = {
  succeed: () => new Principal(SOMEBODY),
  'verify nobody': () => undefined,
  'verify a lookalike': () => ({ ...SOMEBODY, missing: () => [], can: () => true }),
  'refuse the credential': () => {
    throw new InvalidCredentialError('of a test');
  },
  'break while it verifies': () => {
    throw new Error('broken');
  },
};

/** A mode of a test's own. It is for everybody, and its credentials may be machines'. */
@Module({})
class TrialModule implements OnModuleInit {
  constructor(private readonly modes: ModeRegistry) {}

  onModuleInit(): void {
    this.modes.register({
      name: TRIAL,
      scheme: 'Trial',
      carries: 'both',
      ambient: false,
      canHold: () => true,
      credentialHeaders: ['X-Trial'],
      furtherHeaders: ['X-Trial-Note'],
      strategies: { trial: adapt(TrialStrategy, ['x-trial']) },
      present: (request) => (request.headers['x-trial'] === undefined ? undefined : 'trial'),
      verify: async (credential) => VERDICTS[credential]!() as Principal,
      securityScheme: { type: 'apiKey', in: 'header', name: 'X-Trial', description: 'Of a test' },
    });
  }
}

describe('strategies', () => {
  const context = useStarted(() =>
    InProcessServer.start({
      modules: [TrialModule],
      env: { RATE_LIMITS: 'off', CORS_ORIGINS: OTHER_ORIGIN },
    }),
  );
  let clients: Record<StrategyName, Client>;
  beforeAll(async () => {
    clients = await signInByAll(context.server, await context.server.person());
  });

  const registry = () => context.server.app.get(ModeRegistry);

  const answerBy = async (name: StrategyName) => {
    const { status, problem } = await clients[name].get('/v1/probes/principal');
    return problem ? `${status} ${problem}` : status;
  };

  describe.each(STRATEGIES)('the strategy $name', ({ name, of, Package }) => {
    let strategy: Strategy;
    beforeAll(() => {
      strategy = strategiesOf(registry().door.passport)[name]!;
    });

    it(`is a strategy of ${of}`, () => {
      expect(strategy).toBeInstanceOf(Package);
    });

    it('lets nobody in by its mode once it is gone, and everybody else by theirs', async () => {
      registry().door.passport.unuse(name);
      try {
        for (const one of STRATEGIES)
          expect([one.name, await answerBy(one.name)]).toEqual([
            one.name,
            one.name === name ? '500 internal-error' : 200,
          ]);
      } finally {
        registry().door.passport.use(name, strategy);
      }
      expect(await answerBy(name)).toBe(200);
      expect(context.server.log.join('')).toContain(`Unknown authentication strategy \\"${name}\\"`);
    });

    it('is who decides', async () => {
      registry().door.passport.use(name, new RefusingStrategy());
      try {
        expect(await answerBy(name)).toBe('401 invalid-credential');
      } finally {
        registry().door.passport.use(name, strategy);
      }
    });

    it('is not in the registry of Passport that the whole process shares', () => {
      expect(Object.values(strategiesOf(passport))).not.toContain(strategy);
    });
  });

  describe('many requests at once', () => {
    let everybody: { id: string; clients: Record<StrategyName, Client> }[];
    beforeAll(async () => {
      const { server } = context;
      const people = await Promise.all(Array.from({ length: PEOPLE }, () => server.person()));
      everybody = await Promise.all(
        people.map(async (person) => ({ id: person.id, clients: await signInByAll(server, person) })),
      );
    });

    it.each(STRATEGIES)('are each of their own user by $name', async ({ name }) => {
      const seen = await Promise.all(
        Array.from({ length: REQUESTS }, async (_, i) => {
          const { id, clients } = everybody[i % PEOPLE]!;
          return { id, subject: (await clients[name].get('/v1/probes/principal')).body.subject };
        }),
      );
      expect(seen.filter(({ id, subject }) => id !== subject)).toEqual([]);
    });

    it('are each of their own user by all of them', async () => {
      const seen = await Promise.all(
        Array.from({ length: REQUESTS }, async (_, i) => {
          const { id, clients } = everybody[(i * 7) % PEOPLE]!;
          const { name, mode } = STRATEGIES[i % STRATEGIES.length]!;
          const { body } = await clients[name].get('/v1/probes/principal');
          return { expected: [id, mode], seen: [body.subject, body.mode] };
        }),
      );
      expect(seen.map((one) => one.seen)).toEqual(seen.map((one) => one.expected));
    });
  });

  describe('two applications in one process', () => {
    it('each know their own credentials and no others', async () => {
      const second = await InProcessServer.start();
      try {
        const theirs = await signInByAll(second, await second.person());
        for (const { name } of STRATEGIES) {
          expect((await theirs[name].get('/v1/probes/principal')).status).toBe(200);
          expect((await clients[name].get('/v1/probes/principal')).status).toBe(200);
          const { headers } = theirs[name];
          const strayed = await context.server.anonymous.get('/v1/probes/principal', { headers });
          expect([name, strayed.problem]).toEqual([name, 'invalid-credential']);
        }
      } finally {
        await second.stop();
      }
    });
  });

  const callOnTrial = (behaviour: string, path = '/v1/probes/principal') =>
    context.server.anonymous.get(path, { headers: { 'X-Trial': behaviour } });

  describe("a strategy of a mode of one's own", () => {
    it('lets in whom it succeeds with', async () => {
      const { status, body } = await callOnTrial('succeed');
      expect({ status, mode: body.mode, subject: body.subject }).toEqual({
        status: 200,
        mode: TRIAL,
        subject: SOMEBODY.subject,
      });
    });

    it('lets no machine in where a person is needed', async () => {
      const { status, problem, challenges } = await callOnTrial('succeed', '/v1/sessions');
      expect({ status, problem, challenges }).toEqual({
        status: 403,
        problem: 'person-required',
        challenges: null,
      });
    });

    it('is named in the challenges of the routes that accept it, once for all modes of its scheme', async () => {
      for (const [path, ...schemes] of [
        ['/v1/sessions', 'Bearer', 'Session', 'Trial'],
        ['/v1/probes/principal', 'ApiKey', 'Bearer', 'Session', 'Trial'],
      ]) {
        const { challenges } = await context.server.anonymous.get(path!);
        const expected = schemes.map((scheme) => `${scheme} realm="api"`);
        expect([path, ...challenges!.split(', ').toSorted()]).toEqual([path, ...expected]);
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
      'is our fault if it does this: %s',
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
      for (const name of ['jwt', 'opaque', 'api-key', 'api-key-authorization'] as const) {
        const { problem } = await clients[name].get('/v1/probes/principal', {
          headers: { 'X-Trial': 'succeed' },
        });
        expect([name, problem]).toEqual([name, 'ambiguous-credentials']);
      }
    });

    it('is one credential for each header that came over the wire', async () => {
      const lines = [
        'GET /v1/probes/principal HTTP/1.1',
        'Host: localhost',
        'X-Trial: succeed',
        'x-trial: succeed',
      ];
      const { problem } = await sendRaw(
        context.server.url,
        [...lines, 'Connection: close', '', ''].join('\r\n'),
      );
      expect(problem).toBe('ambiguous-credentials');
    });

    it('has its headers allowed by CORS', async () => {
      const { headers } = await context.server.anonymous.call('OPTIONS', '/v1/probes/principal', {
        headers: { Origin: OTHER_ORIGIN, 'Access-Control-Request-Method': 'GET' },
      });
      expect(headers.get('access-control-allow-headers')).toBe(
        'Authorization, Content-Type, X-API-Key, X-CSRF-Token, X-Trial, X-Trial-Note',
      );
    });

    it('wins over the cookie', async () => {
      const succeeds = await clients.session.get('/v1/probes/principal', {
        headers: { 'X-Trial': 'succeed' },
      });
      expect(succeeds.body.mode).toBe(TRIAL);
      const fails = await clients.session.get('/v1/probes/principal', { headers: { 'X-Trial': 'pass on' } });
      expect(fails.problem).toBe('invalid-credential');
    });

    it('is registered once', () => {
      expect(() => registry().register(registry().get(TRIAL))).toThrow(
        'the mode "trial" is registered twice',
      );
    });

    it('has strategies of names that no other mode uses', () => {
      const other = { ...registry().get(TRIAL), name: 'another-trial' as AuthMode };
      expect(() => registry().register(other)).toThrow('the strategy "trial" is registered twice');
    });
  });
});
