import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CsrfError, InvalidCredentialError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { read } from '../../auth/passport.js';
import { foreignOrigin } from '../../auth/same-origin.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { equalSecrets } from '../../platform/crypto/secret.js';
import { CSRF_HEADER, csrfTokenOf, SESSION_COOKIE, sessionCookies } from './session-cookie.js';
import { SessionsService } from './sessions.service.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    session: true;
  }
}

/** The mode `session`: a secret in a cookie, looked up by its hash. */
@Injectable()
export class SessionMode implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly sessions: SessionsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.modes.register({
      name: 'session',
      scheme: 'Session',
      carries: 'person',
      ambient: true,
      canHold: () => true,
      credentialHeaders: [],
      furtherHeaders: [CSRF_HEADER],
      strategies: { session: read(sessionSecret) },
      present: (request) => (sessionCookies(request).length > 0 ? 'session' : undefined),
      // Always live: the lookup reads the sign-in.
      verify: (secret) => this.sessions.verify(secret),
      afterVerification: (request) => this.#refuseCrossSite(request),
      securityScheme: {
        type: 'apiKey',
        in: 'cookie',
        name: SESSION_COOKIE,
        description:
          'A server-side session: sign in with `POST /v1/sessions`. All methods except GET, HEAD and OPTIONS also need the header `X-CSRF-Token`.',
        // For the API reference, which sends the token by itself.
        'x-csrf-header': CSRF_HEADER,
        'x-csrf-operation': 'getCurrentSessionCsrfToken',
        'x-csrf-field': 'csrfToken',
      },
    });
  }

  /** A browser also sends the cookie with requests from other sites, which do not know the token (ASVS 3.5.1). */
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

/** @throws InvalidCredentialError for two cookies, because the server must not choose between them */
function sessionSecret(request: FastifyRequest): string | undefined {
  const [secret, another] = sessionCookies(request);
  if (another !== undefined) throw new InvalidCredentialError('two session cookies');
  return secret;
}
