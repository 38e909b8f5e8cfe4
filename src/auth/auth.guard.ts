import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../platform/config/config.js';
import { contextOf } from '../platform/logging/request-context.js';
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
  ResourceNotGrantedError,
} from './auth.errors.js';
import { type ModeDefinition, ModeRegistry } from './mode-registry.js';
import { countHeaders } from './presented-credential.js';
import { Principal } from './principal.js';
import { resourceOf } from './resource.js';
import { RouteTable } from './route-table.js';
import { foreignOrigin } from './same-origin.js';
import { StepUp } from './step-up.js';

/**
 * Authenticates and authorizes every request: policy of the route, the one credential, its principal, then person,
 * scopes, recent sign-in and resource. The credential that is present must be valid: no other one is tried.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly routes: RouteTable,
    private readonly registry: ModeRegistry,
    private readonly stepUp: StepUp,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Without a promise for a public route. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    const policy = this.routes.policyOf(context.getClass(), context.getHandler());
    // Fail closed: a handler that was not found at boot has no policy.
    if (!policy) throw new Error(`no policy for ${context.getClass().name}.${context.getHandler().name}`);
    if (!policy.public) return this.#allowsCaller(request, policy);
    try {
      this.#checkPublic(request, policy);
      return true;
    } catch (error) {
      throw this.#logged(error, request);
    }
  }

  #logged(error: unknown, { user }: { user?: Principal }): unknown {
    if (error instanceof ProblemError)
      this.log.refused('request.refused', {
        ...user?.facts,
        problem: error.kind.slug,
        reason: error.reason,
      });
    return error;
  }

  #checkPublic(request: FastifyRequest, { sameOrigin }: PublicPolicy): void {
    // A write to a public route can contain a password or a one-time token.
    if (request.method !== 'GET' && request.method !== 'HEAD') this.#checkTransport(request);
    if (sameOrigin) this.#checkOrigin(request);
  }

  /** One promise for a request whose credential is in memory. */
  async #allowsCaller(
    request: FastifyRequest & { user?: Principal },
    policy: ProtectedPolicy,
  ): Promise<boolean> {
    try {
      const { mode, strategy } = this.#presented(request, policy);
      this.#checkTransport(request);
      if (!policy.modes.includes(mode.name)) throw new ModeNotAcceptedError(this.#challenges(policy));
      const verified = this.#verify(mode, strategy, request, policy);
      const principal = verified instanceof Promise ? await verified : verified;
      // Set before the checks below, so that their log entries name the principal.
      request.user = principal;
      const context = contextOf(request);
      if (context) context.facts = principal.facts;
      mode.afterVerification?.(request, principal);
      const scheme = this.registry.challengeOf(mode.name);
      this.#authorize(policy, principal, scheme);
      const asked = this.stepUp.check(policy, principal, scheme);
      if (asked) await asked;
      this.#checkResource(policy, principal, request);
      for (const { definition, declared } of policy.requires)
        await definition.check(principal, request, declared);
      return true;
    } catch (error) {
      throw this.#logged(error, request);
    }
  }

  #presented(request: FastifyRequest, policy: ProtectedPolicy): { mode: ModeDefinition; strategy: string } {
    const explicitHeaders = countHeaders(request, this.registry.credentialHeaders);
    if (explicitHeaders > 1) throw new AmbiguousCredentialsError();
    const found: { mode: ModeDefinition; strategy: string }[] = [];
    for (const mode of this.registry.all()) {
      const strategy = mode.present(request);
      if (strategy !== undefined) found.push({ mode, strategy });
    }
    const explicit = found.filter(({ mode }) => !mode.ambient);
    if (explicit.length > 1) throw new AmbiguousCredentialsError();
    if (explicit[0]) return explicit[0];
    // An unknown scheme is still an explicit credential: it must not fall back to the cookie.
    if (explicitHeaders > 0) throw new ModeNotAcceptedError(this.#challenges(policy));
    if (found[0]) return found[0];
    throw new CredentialRequiredError(this.#challenges(policy));
  }

  #verify(
    mode: ModeDefinition,
    strategy: string,
    request: FastifyRequest,
    policy: ProtectedPolicy,
  ): Principal | Promise<Principal> {
    const refuse = (error: unknown): never => {
      if (!(error instanceof InvalidCredentialError)) throw error;
      throw new InvalidCredentialError(error.reason ?? 'refused', this.#challenges(policy, mode));
    };
    try {
      const credential = this.registry.door.take(strategy, request);
      const principal =
        typeof credential === 'string'
          ? mode.verify(credential, policy)
          : credential.then((taken) => mode.verify(taken, policy));
      return principal instanceof Promise
        ? principal.then(asPrincipal).catch(refuse)
        : asPrincipal(principal);
    } catch (error) {
      return refuse(error);
    }
  }

  #authorize(policy: ProtectedPolicy, principal: Principal, scheme: string): void {
    if (policy.person && principal.kind !== 'person') throw new PersonRequiredError();
    if (policy.user && principal.kind === 'service-account') throw new PersonRequiredError();
    const missing = principal.missing(policy.scopes);
    if (missing.length > 0) throw new InsufficientScopeError(missing, scheme);
  }

  /** A route without scopes is about the credential itself, so a narrowed key can call it. */
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

  /** One challenge for each accepted scheme. The scheme that failed adds its error (RFC 6750 3.1). */
  #challenges(policy: ProtectedPolicy, failed?: ModeDefinition): string[] {
    const challenges = policy.modes.map((name) =>
      this.registry.get(name).scheme === failed?.scheme
        ? this.registry.invalidChallengeOf(name)
        : this.registry.challengeOf(name),
    );
    return [...new Set(challenges)];
  }
}

/** Checked at run time too: an object that only looks like a principal could pass the later checks. */
function asPrincipal(principal: unknown): Principal {
  if (!(principal instanceof Principal)) throw new InvalidCredentialError('no principal');
  return principal;
}
