import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { RateLimiter } from '../platform/rate-limits/rate-limiter.js';

/**
 * Counts requests to public routes with a rate limit, by client address. The count comes before the body is read, and
 * the guard after it, so that malformed and oversized bodies count too.
 */
@Injectable()
export class PublicRateLimits implements OnModuleInit {
  constructor(
    private readonly http: HttpAdapterHost,
    private readonly limiter: RateLimiter,
  ) {}

  onModuleInit(): void {
    // A command has no HTTP server.
    if (!this.http.httpAdapter) return;
    const fastify: FastifyInstance = this.http.httpAdapter.getInstance();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const policy = request.routeOptions.config.declared?.route?.policy;
      if (!policy?.public || !policy.rateLimit) return done();
      const { rateLimit } = policy;
      this.limiter.consumeByAddress(rateLimit.policy, request.ip, rateLimit).then(
        () => done(),
        (error: Error) => done(error),
      );
    });
  }
}
