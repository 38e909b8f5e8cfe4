import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { RouteTable } from '../../auth/route-table.js';
import { ProblemFilter } from './problem.filter.js';
import { UnexpectedInput } from './unexpected-input.js';
import { unvalidatedParameters } from './unvalidated-parameters.js';
import { ProblemPages, ProblemsController } from './problems.controller.js';

@Module({
  controllers: [ProblemsController],
  providers: [
    ProblemPages,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_GUARD, useClass: UnexpectedInput },
  ],
})
export class ProblemsModule implements OnModuleInit {
  constructor(private readonly routes: RouteTable) {}

  onModuleInit(): void {
    this.routes.check(unvalidatedParameters);
  }
}
