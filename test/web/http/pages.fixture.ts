import { Injectable, Module } from '@nestjs/common';
import { allProblems, defineProblem } from '../../../src/platform/problems/problem.js';
import type { Fixture } from '../../support/in-process.js';

/** A problem whose texts are markup. */
defineProblem({
  slug: 'test-markup',
  status: 400,
  title: '<b>"Bold"</b> & co',
  about: '<script src="/x.js"></script>',
});

@Injectable()
export class Problems {
  all() {
    return [...allProblems()];
  }
}

@Module({ providers: [Problems] })
class ProblemsTrialModule {}

export const problems: Fixture = { modules: [ProblemsTrialModule] };
