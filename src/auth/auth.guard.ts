import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { SecurityLog } from '../platform/logging/security-log.js';
import { ProblemError } from '../platform/problems/problem.js';
import type { ProtectedPolicy, PublicPolicy } from './access-policy.js';
import {
  AmbiguousCredentialsError,
  CredentialRequiredError,
  CsrfError,
  HttpsRequiredError,
  InsufficientScopeError,
  InvalidCredentialError,
  ModeNotAcceptedError,
  PersonRequiredError,
  RecentSignInRequiredError,
  ResourceNotGrantedError,
} from './auth.errors.js';
import { type ModeDefinition, ModeRegistry } from './mode-registry.js';
import { countExplicitHeaders } from './presented-credential.js';
import { Principal } from './principal.js';
import { resourceOf } from './resource.js';
import { RouteTable } from './route-table.js';
import { foreignOrigin } from './same-origin.js';
import { lifetime } from '../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';

const settings = defineSettings({ REAUTHENTICATION_WINDOW: lifetime('10m') });

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/**
 * The way of every request: policy of the route, the one credential presented, its strategy, the principal, then
 * person, scopes and freshness. Nothing is tried twice and nothing falls through: the credential that is there must hold.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly routes: RouteTable,
    private readonly registry: ModeRegistry,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    const policy = this.routes.policyOf(context.getClass(), context.getHandler());
    // A handler that the boot did not see has no policy: closed.
    if (!policy) throw new Error(`no policy for ${context.getClass().name}.${context.getHandler().name}`);
    try {
      if (policy.public) this.#checkPublic(request, policy);
      else
        request.user = await this.#authenticate(
          request,
          context.switchToHttp().getResponse<FastifyReply>(),
          policy,
        );
    } catch (error) {
      if (error instanceof ProblemError)
        this.log.refused('request.refused', { problem: error.kind.slug, reason: error.reason }, request.user);
      throw error;
    }
    return true;
  }

  #checkPublic(request: FastifyRequest, { sameOrigin }: PublicPolicy): void {
    // What is posted to a public route is a password or a one-time token.
    if (request.method !== 'GET' && request.method !== 'HEAD') this.#checkTransport(request);
    if (sameOrigin) this.#checkOrigin(request);
  }

  async #authenticate(
    request: FastifyRequest & { user?: Principal },
    reply: FastifyReply,
    policy: ProtectedPolicy,
  ): Promise<Principal> {
    const { mode, strategy } = this.#presented(request, policy);
    this.#checkTransport(request);
    if (!policy.modes.includes(mode.name)) throw new ModeNotAcceptedError(this.#challenges(policy));
    const principal = await this.#prove(mode, strategy, request, reply, policy.live).catch(
      (error: unknown) => {
        if (!(error instanceof InvalidCredentialError)) throw error;
        throw new InvalidCredentialError(error.reason ?? 'refused', this.#challenges(policy, mode));
      },
    );
    request.user = principal;
    mode.afterVerification?.(request, principal);
    this.#authorize(policy, principal, this.registry.challengeOf(mode.name));
    this.#checkResource(policy, principal, request);
    return principal;
  }

  #presented(request: FastifyRequest, policy: ProtectedPolicy): { mode: ModeDefinition; strategy: string } {
    if (countExplicitHeaders(request) > 1) throw new AmbiguousCredentialsError();
    const found: { mode: ModeDefinition; strategy: string }[] = [];
    for (const mode of this.registry.all()) {
      const strategy = mode.presented(request);
      if (strategy !== undefined) found.push({ mode, strategy });
    }
    const explicit = found.filter(({ mode }) => !mode.ambient);
    if (explicit.length > 1) throw new AmbiguousCredentialsError();
    if (explicit[0]) return explicit[0];
    // An explicit header of a scheme that nobody here knows is still what the client meant, not the cookie beside it.
    if (countExplicitHeaders(request) > 0) throw new ModeNotAcceptedError(this.#challenges(policy));
    if (found[0]) return found[0];
    throw new CredentialRequiredError(this.#challenges(policy));
  }

  async #prove(
    mode: ModeDefinition,
    strategy: string,
    request: FastifyRequest,
    reply: FastifyReply,
    live: boolean,
  ): Promise<Principal> {
    const principal = await this.#verify(strategy, request, reply);
    return live && mode.seeAlive ? mode.seeAlive(principal) : principal;
  }

  #verify(strategy: string, request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, principal?: unknown, info?: unknown) => {
        if (error) reject(error);
        else if (principal instanceof Principal) resolve(principal);
        else reject(new InvalidCredentialError(info instanceof Error ? info.message : 'unknown'));
      };
      // next() means that the strategy passed without a decision: never a success.
      const next = (error?: unknown) =>
        reject((error as Error | undefined) ?? new InvalidCredentialError('not decided'));
      const handler = this.registry.passport.authenticate(strategy, { session: false }, done) as (
        ...args: unknown[]
      ) => void;
      handler(request, reply, next);
    });
  }

  #authorize(policy: ProtectedPolicy, principal: Principal, scheme: string): void {
    if (policy.person && principal.kind !== 'person') throw new PersonRequiredError();
    if (policy.user && principal.kind === 'service-account') throw new PersonRequiredError();
    const missing = principal.missing(policy.scopes);
    if (missing.length > 0) throw new InsufficientScopeError(missing, scheme);
    if (!policy.recentSignIn) return;
    const window = this.config.REAUTHENTICATION_WINDOW;
    const age = principal.authTime ? this.clock.now().getTime() - principal.authTime.getTime() : Infinity;
    if (age > window) throw new RecentSignInRequiredError(Math.floor(window / 1000), scheme);
  }

  /** A route that asks for no scope is about the credential itself. */
  #checkResource({ scopes, resource }: ProtectedPolicy, principal: Principal, request: FastifyRequest): void {
    if (scopes.length === 0) return;
    const about = resource && resourceOf(resource, request.params as Record<string, string>);
    if (!principal.mayReach(about)) throw new ResourceNotGrantedError();
  }

  #checkOrigin(request: FastifyRequest): void {
    const reason = foreignOrigin(request, this.config.CORS_ORIGINS);
    if (reason) throw new CsrfError(reason);
  }

  #checkTransport(request: FastifyRequest): void {
    if (this.config.production && request.protocol !== 'https') throw new HttpsRequiredError();
  }

  /** One challenge for each scheme that the route accepts; the one that failed says so (RFC 6750 3.1). */
  #challenges(policy: ProtectedPolicy, failed?: ModeDefinition): string[] {
    const challenges = policy.modes.map((name) =>
      this.registry.get(name).scheme === failed?.scheme
        ? this.registry.invalidChallengeOf(name)
        : this.registry.challengeOf(name),
    );
    return [...new Set(challenges)];
  }
}
