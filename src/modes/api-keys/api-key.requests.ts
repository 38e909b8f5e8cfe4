import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { contextOf } from '../../platform/logging/request-context.js';

export interface AnsweredRequest {
  readonly keyId: string;
  /** Of the client. */
  readonly ip: string;
  readonly status: number;
}

type Listener = (request: AnsweredRequest) => void;

/** Tells of each request behind which a key stood, also by a token, when its answer has left: also where it was refused. */
@Injectable()
export class ApiKeyRequests implements OnModuleInit {
  readonly #listeners: Listener[] = [];

  constructor(private readonly http: HttpAdapterHost) {}

  /** A listener is called for every request: it does next to nothing, and never throws. */
  whenAnswered(listener: Listener): void {
    this.#listeners.push(listener);
  }

  onModuleInit(): void {
    // A command has no requests.
    if (!this.http.httpAdapter) return;
    const fastify: FastifyInstance = this.http.httpAdapter.getInstance();
    fastify.addHook('onResponse', (request, reply, done) => {
      const context = contextOf(request);
      if (context?.keyId !== undefined) {
        const answered = { keyId: context.keyId, ip: context.ip, status: reply.statusCode };
        for (const listener of this.#listeners) listener(answered);
      }
      done();
    });
  }
}
