import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../platform/config/config.js';
import { contextOf } from '../platform/logging/request-context.js';
import { SecurityLog } from '../platform/logging/security-log.js';
import { ProblemError } from '../platform/problems/problem.js';
import type { AccessPolicy, ProtectedPolicy, PublicPolicy } from './access-policy.js';
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
import { Decisions } from './decisions.js';
import { type ModeDefinition, ModeRegistry } from './mode-registry.js';
import { countHeaders } from './presented-credential.js';
import { Principal } from './principal.js';
import { resourceOf } from './resource.js';
import { RouteTable } from './route-table.js';
import { foreignOrigin } from './same-origin.js';
import { StepUp } from './step-up.js';

type Request = FastifyRequest & { user?: Principal };

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
    private readonly decisions: Decisions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Without a promise if nothing has to be looked up. */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.switchToHttp().getRequest<Request>();
    const policy = this.routes.policyOf(context.getClass(), context.getHandler());
    // Fail closed: a handler that was not found at boot has no policy.
    if (!policy) throw new Error(`no policy for ${context.getClass().name}.${context.getHandler().name}`);
    try {
      const allowed = policy.public ? this.#checkPublic(request, policy) : this.#checkCaller(request, policy);
      if (allowed === true) return this.#allow(request, policy);
      return allowed.then(
        () => this.#allow(request, policy),
        (error: unknown) => this.#refuse(error, request, policy),
      );
    } catch (error) {
      return this.#refuse(error, request, policy);
    }
  }

  #allow({ user }: Request, policy: AccessPolicy): true {
    if (!policy.public) this.decisions.observer?.(user?.mode, 'allowed');
    return true;
  }

  /** Logs a refusal, and passes it on. */
  #refuse(error: unknown, request: Request, policy: AccessPolicy): never {
    const { user } = request;
    const result = error instanceof ProblemError ? error.kind.slug : 'error';
    if (!policy.public) this.decisions.observer?.(user?.mode ?? this.registry.modeOf(request), result);
    if (error instanceof ProblemError)
      this.log.refused('request.refused', {
        ...user?.facts,
        problem: error.kind.slug,
        reason: error.reason,
      });
    throw error;
  }

  #checkPublic(request: Request, { sameOrigin }: PublicPolicy): true {
    // A write to a public route can contain a password or a one-time token.
    if (request.method !== 'GET' && request.method !== 'HEAD') this.#checkTransport(request);
    if (sameOrigin) this.#checkOrigin(request);
    return true;
  }

  #checkCaller(request: Request, policy: ProtectedPolicy): true | Promise<true> {
    const { mode, strategy } = this.#presented(request, policy);
    this.#checkTransport(request);
    if (!policy.modes.includes(mode.name)) throw new ModeNotAcceptedError(this.#challenges(policy));
    const verified = this.#verify(mode, strategy, request, policy);
    return verified instanceof Promise
      ? verified.then((principal) => this.#checkPrincipal(request, policy, mode, principal))
      : this.#checkPrincipal(request, policy, mode, verified);
  }

  #checkPrincipal(
    request: Request,
    policy: ProtectedPolicy,
    mode: ModeDefinition,
    principal: Principal,
  ): true | Promise<true> {
    // Set before the checks below, so that their log entries name the principal.
    request.user = principal;
    const context = contextOf(request);
    if (context) context.facts = principal.facts;
    mode.afterVerification?.(request, principal);
    const scheme = this.registry.challengeOf(mode.name);
    this.#authorize(policy, principal, scheme);
    const asked = this.stepUp.check(policy, principal, scheme);
    if (asked) return asked.then(() => this.#checkFurther(request, policy, principal));
    return this.#checkFurther(request, policy, principal);
  }

  #checkFurther(request: Request, policy: ProtectedPolicy, principal: Principal): true | Promise<true> {
    this.#checkResource(policy, principal, request);
    return policy.requires.length === 0 || this.#checkRequirements(request, policy, principal);
  }

  async #checkRequirements(
    request: Request,
    { requires }: ProtectedPolicy,
    principal: Principal,
  ): Promise<true> {
    for (const { definition, declared } of requires) await definition.check(principal, request, declared);
    return true;
  }

  #presented(request: FastifyRequest, policy: ProtectedPolicy): { mode: ModeDefinition; strategy: string } {
    const explicitHeaders = countHeaders(request, this.registry.credentialHeaders);
    if (explicitHeaders > 1) throw new AmbiguousCredentialsError();
    const found = this.registry.presentIn(request);
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
    try {
      const credential = this.registry.door.take(strategy, request);
      const verified =
        typeof credential === 'string'
          ? mode.verify(credential, policy)
          : credential.then((taken) => mode.verify(taken, policy));
      if (!(verified instanceof Promise)) return asPrincipal(verified);
      return verified.then(asPrincipal).catch((error: unknown) => this.#refuseInvalid(error, mode, policy));
    } catch (error) {
      return this.#refuseInvalid(error, mode, policy);
    }
  }

  /** Adds the challenges of the route to the refusal of a credential. */
  #refuseInvalid(error: unknown, mode: ModeDefinition, policy: ProtectedPolicy): never {
    if (!(error instanceof InvalidCredentialError)) throw error;
    throw new InvalidCredentialError(error.reason ?? 'refused', this.#challenges(policy, mode));
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
