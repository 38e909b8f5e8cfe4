import passport from 'passport';
import { Controller, Get, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
// room: api-keys
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
// /room
// room: jwt
import { Strategy as PassportJwtStrategy } from 'passport-jwt';
// /room
import { Strategy } from 'passport-strategy';
import { Authenticated } from '../../src/auth/authenticated.decorator.js';
import { InvalidCredentialError } from '../../src/auth/auth.errors.js';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import { ModeRegistry } from '../../src/auth/mode-registry.js';
import { adapt } from '../../src/auth/passport.js';
import { Principal, type PrincipalFields } from '../../src/auth/principal.js';
import type { Fixture } from '../support/in-process.js';

const TRIAL = 'trial' as AuthMode;
const SOMEBODY: PrincipalFields = {
  mode: TRIAL,
  kind: 'machine',
  subject: '01890000-0000-7000-8000-000000000000',
  credentialId: 'trial',
  scopes: ['probes:read'],
};

/** A strategy of a package. It does what the header `X-Trial` of the request says. */
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

@Controller('v1/trials')
class TrialsController {
  @Get('people')
  @Authenticated({ modes: 'person' })
  people() {
    return {};
  }
}

class RefusingStrategy extends Strategy {
  override authenticate(): void {
    this.fail(401);
  }
}

/** The packages of the strategies. */
const PACKAGES: Record<string, new (...options: never[]) => Strategy> = {
  'passport-strategy': Strategy,
  // room: api-keys
  'passport-headerapikey': HeaderAPIKeyStrategy,
  // /room
  // room: jwt
  'passport-jwt': PassportJwtStrategy,
  // /room
};

/** The strategies that an instance of Passport has, by name. */
const strategiesOf = (instance: object) =>
  (instance as { _strategies: Record<string, Strategy> })._strategies;

/** Inspects and replaces the strategies of the application. */
@Injectable()
export class Strategies {
  readonly #replaced = new Map<string, Strategy>();

  constructor(private readonly modes: ModeRegistry) {}

  isOf(name: string, packageName: string): boolean {
    return this.#strategy(name) instanceof PACKAGES[packageName]!;
  }

  isShared(name: string): boolean {
    return Object.values(strategiesOf(passport)).includes(this.#strategy(name));
  }

  remove(name: string): void {
    this.#replaced.set(name, this.#strategy(name));
    this.modes.door.passport.unuse(name);
  }

  refuse(name: string): void {
    this.#replaced.set(name, this.#strategy(name));
    this.modes.door.passport.use(name, new RefusingStrategy());
  }

  restore(name: string): void {
    this.modes.door.passport.use(name, this.#replaced.get(name)!);
  }

  /** Registers the mode of the test once more, also by another name. */
  register(name: string): void {
    this.modes.register({ ...this.modes.get(TRIAL), name: name as AuthMode });
  }

  #strategy(name: string): Strategy {
    return strategiesOf(this.modes.door.passport)[name]!;
  }
}

/** A mode of a test's own. It accepts everybody, and its credentials can be machines'. */
@Module({ controllers: [TrialsController], providers: [Strategies] })
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

export const trial: Fixture = { modules: [TrialModule] };
