import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ProblemFilter } from '../http/problem.filter.js';
import { UnexpectedBody } from '../http/unexpected-body.js';
import { UnexpectedQuery } from '../http/unexpected-query.js';
import { validationPipe } from '../http/validation.js';
import { ProblemsController } from './problems.controller.js';

@Module({
  controllers: [ProblemsController],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useFactory: validationPipe },
    { provide: APP_INTERCEPTOR, useClass: UnexpectedBody },
    { provide: APP_INTERCEPTOR, useClass: UnexpectedQuery },
  ],
})
export class ProblemsModule {}
