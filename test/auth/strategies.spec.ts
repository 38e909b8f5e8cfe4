import passport from 'passport';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { Strategy as PassportJwtStrategy } from 'passport-jwt';
import { Strategy } from 'passport-strategy';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import { ModeRegistry } from '../../src/auth/mode-registry.js';
import { Principal, type PrincipalFields } from '../../src/auth/principal.js';
import { Client } from '../support/client.js';
import { InProcessServer } from '../support/in-process.js';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { opaqueOf } from '../support/modes/opaque.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { useStarted } from '../support/server.js';

const PEOPLE = 20;
const REQUESTS = 200;

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

/** Does what the request's `X-Trial` says. */
class TrialStrategy extends Strategy {
  override authenticate(request: unknown): void {
    const somebody = new Principal(SOMEBODY);
    const behaviours: Record<string, () => void> = {
      succeed: () => this.success(somebody),
      'pass on': () => this.pass(),
      'succeed with nobody': () => this.success(undefined),
      'succeed with a lookalike': () => this.success({ ...SOMEBODY, missing: () => [], can: () => true }),
      'fail and then succeed': () => (this.fail(401), this.success(somebody)),
      'pass on and then succeed': () => (this.pass(), this.success(somebody)),
      'have an error that is none': () => this.error(undefined as unknown as Error),
      'have an error': () => this.error(new Error('broken')),
      throw: () => {
        throw new Error('broken');
      },
      redirect: () => this.redirect('https://elsewhere.example'),
    };
    behaviours[String((request as FastifyRequest).headers['x-trial'])]!();
  }
}

/** A mode of a test's own. It is for everybody, and its credentials may be machines'. */
@Module({})
class TrialModule implements OnModuleInit {
  constructor(private readonly modes: ModeRegistry) {}

  onModuleInit(): void {
    this.modes.register({
      name: TRIAL,
      scheme: 'ApiKey',
      carries: 'both',
      ambient: false,
      canHold: () => true,
      strategies: { trial: new TrialStrategy() },
      presented: (request) => (request.headers['x-trial'] === undefined ? undefined : 'trial'),
      securityScheme: { type: 'apiKey', in: 'header', name: 'X-Trial', description: 'Of a test' },
    });
  }
}

describe('strategies', () => {
  const context = useStarted(() =>
    InProcessServer.start({ modules: [TrialModule], env: { RATE_LIMITS: 'off' } }),
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

  describe.each(STRATEGIES)('the strategy $name', ({ name, mode, of, Package }) => {
    const strategy = () => registry().get(mode).strategies[name]!;

    it(`is a strategy of ${of}`, () => {
      expect(strategy()).toBeInstanceOf(Package);
    });

    it('lets nobody in by its mode once it is gone, and everybody else by theirs', async () => {
      registry().passport.unuse(name);
      try {
        for (const one of STRATEGIES)
          expect([one.name, await answerBy(one.name)]).toEqual([
            one.name,
            one.name === name ? '500 internal-error' : 200,
          ]);
      } finally {
        registry().passport.use(name, strategy());
      }
      expect(await answerBy(name)).toBe(200);
      expect(context.server.log.join('')).toContain(`Unknown authentication strategy \\"${name}\\"`);
    });

    it('is who decides', async () => {
      registry().passport.use(name, new RefusingStrategy());
      try {
        expect(await answerBy(name)).toBe('401 invalid-credential');
      } finally {
        registry().passport.use(name, strategy());
      }
    });

    it('is not in the registry of Passport that the whole process shares', () => {
      const { _strategies: shared } = passport as unknown as { _strategies: Record<string, unknown> };
      expect(Object.values(shared)).not.toContain(strategy());
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
      for (const path of ['/v1/sessions', '/v1/probes/principal']) {
        const { challenges } = await context.server.anonymous.get(path);
        expect([path, ...challenges!.split(', ').toSorted()]).toEqual([
          path,
          'ApiKey realm="api"',
          'Bearer realm="api"',
          'Session realm="api"',
        ]);
      }
    });

    it.each([
      'pass on',
      'succeed with nobody',
      'succeed with a lookalike',
      'fail and then succeed',
      'pass on and then succeed',
      'have an error that is none',
    ])('is refused if it does this: %s', async (behaviour) => {
      const { status, problem } = await callOnTrial(behaviour);
      expect({ status, problem }).toEqual({ status: 401, problem: 'invalid-credential' });
    });

    it.each(['have an error', 'throw', 'redirect'])('is our fault if it does this: %s', async (behaviour) => {
      const { status, problem, headers } = await callOnTrial(behaviour);
      expect({ status, problem, location: headers.get('location') }).toEqual({
        status: 500,
        problem: 'internal-error',
        location: null,
      });
    });

    it('is not asked beside another explicit credential', async () => {
      for (const name of ['jwt', 'opaque', 'api-key', 'api-key-authorization'] as const) {
        const { problem } = await clients[name].get('/v1/probes/principal', {
          headers: { 'X-Trial': 'succeed' },
        });
        expect([name, problem]).toEqual([name, 'ambiguous-credentials']);
      }
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
  });
});
