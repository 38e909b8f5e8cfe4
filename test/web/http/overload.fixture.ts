import { Injectable, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { Fixture } from '../../support/in-process.js';

/** Makes a request with the header X-Busy take this many milliseconds of the processor. */
@Injectable()
class BusyHook {
  constructor(private readonly http: HttpAdapterHost) {}

  onModuleInit(): void {
    const fastify: FastifyInstance = this.http.httpAdapter.getInstance();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const until = performance.now() + Number(request.headers['x-busy'] ?? 0);
      while (performance.now() < until);
      done();
    });
  }
}

@Module({ providers: [BusyHook] })
class BusyModule {}

export const busy: Fixture = { modules: [BusyModule] };
