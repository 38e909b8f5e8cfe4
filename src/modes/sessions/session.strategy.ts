import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-strategy';
import { CsrfError, InvalidCredentialError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { Principal } from '../../auth/principal.js';
import { foreignOrigin } from '../../auth/same-origin.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { equalSecrets } from '../../platform/crypto/secret.js';
import { csrfTokenOf, SESSION_COOKIE, sessionCookies } from './session-cookie.js';
import { SessionsService } from './sessions.service.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    session: true;
  }
}

type Verify = (cookies: string[], done: (error: Error | null, principal?: Principal) => void) => void;

/** Passport's part: takes the cookie off the request and hands it on. */
class SessionCookieStrategy extends Strategy {
  constructor(private readonly verify: Verify) {
    super();
  }

  override authenticate(request: unknown): void {
    this.verify(sessionCookies(request as FastifyRequest), (error, principal) =>
      error || !principal
        ? this.error(error ?? new InvalidCredentialError('unknown'))
        : this.success(principal),
    );
  }
}

/** The mode `session`: a secret in a cookie, looked up by its hash. */
@Injectable()
export class SessionStrategy
  extends PassportStrategy(SessionCookieStrategy, 'session')
  implements OnModuleInit
{
  constructor(
    private readonly modes: ModeRegistry,
    private readonly sessions: SessionsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  onModuleInit(): void {
    this.modes.register({
      name: 'session',
      scheme: 'Session',
      carries: 'person',
      ambient: true,
      canHold: () => true,
      strategies: { session: this },
      presented: (request) => (sessionCookies(request).length > 0 ? 'session' : undefined),
      afterVerification: (request) => this.#refuseCrossSite(request),
      securityScheme: {
        type: 'apiKey',
        in: 'cookie',
        name: SESSION_COOKIE,
        description:
          'A server-side session. Every method but GET, HEAD and OPTIONS needs the header X-CSRF-Token too.',
      },
    });
  }

  /** @throws InvalidCredentialError */
  validate(cookies: string[]): Promise<Principal> {
    const [secret] = cookies;
    if (secret === undefined || cookies.length > 1) throw new InvalidCredentialError('two session cookies');
    return this.sessions.verify(secret);
  }

  /** Into the registry of this application instead: Passport's own is one for the whole process. */
  getPassportInstance() {
    return { use: () => undefined };
  }

  /** A browser sends the cookie whoever caused the request; only our own pages know the token (ASVS 3.5.1). */
  #refuseCrossSite(request: FastifyRequest): void {
    const foreign = foreignOrigin(request, this.config.CORS_ORIGINS);
    if (foreign) throw new CsrfError(foreign);
    if (request.method === 'GET' || request.method === 'HEAD') return;
    const token = request.headers['x-csrf-token'];
    if (typeof token !== 'string') throw new CsrfError('no X-CSRF-Token');
    if (!equalSecrets(token, csrfTokenOf(sessionCookies(request)[0]!)))
      throw new CsrfError('wrong X-CSRF-Token');
  }
}
