import { Injectable } from '@nestjs/common';
import { RouteTable } from '../../auth/route-table.js';
import { ProblemsController } from './problems.controller.js';

declare module 'fastify' {
  interface FastifyInstance {
    problemPages: Pick<ProblemPages, 'path'>;
  }
}

/** Where the router has the pages that explain problems. */
@Injectable()
export class ProblemPages {
  #path: string | undefined;

  constructor(private readonly routes: RouteTable) {}

  get path(): string {
    return (this.#path ??= this.routes.pathOf(ProblemsController, 'explain').replace('/:slug', ''));
  }
}
