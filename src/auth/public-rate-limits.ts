import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { SecurityLog } from '../platform/logging/security-log.js';
import { RateLimiter } from '../platform/rate-limits/rate-limiter.js';
import { RateLimitedError } from '../platform/rate-limits/rate-limits.errors.js';

/**
 * Counts the requests to public routes that declare a rate limit, by address. Before the body is read, which the guard
 * comes after: what is malformed, or too large, is work too, and its answer tells what is left as every other does.
 */
@Injectable()
export class PublicRateLimits implements OnModuleInit {
  constructor(
    private readonly http: HttpAdapterHost,
    private readonly limiter: RateLimiter,
    private readonly log: SecurityLog,
  ) {}

  onModuleInit(): void {
    // A command has no requests.
    if (!this.http.httpAdapter) return;
    const fastify: FastifyInstance = this.http.httpAdapter.getInstance();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const policy = request.routeOptions.config.declared?.route?.policy;
      if (!policy?.public || !policy.rateLimit) return done();
      const { rateLimit } = policy;
      this.limiter.consumeByAddress(rateLimit.policy, request.ip, rateLimit).then(
        () => done(),
        (error: Error) => done(this.#refused(error)),
      );
    });
  }

  #refused(error: Error): Error {
    if (error instanceof RateLimitedError)
      this.log.refused('request.refused', { problem: error.kind.slug, reason: error.reason });
    return error;
  }
}
