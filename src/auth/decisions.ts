import { Injectable } from '@nestjs/common';

/** Gets the mode of the credential, if the request has one, and `allowed` or the slug of the problem. */
export type DecisionObserver = (mode: string | undefined, result: string) => void;

/** Reports each decision of the guard about a route that needs a credential. */
@Injectable()
export class Decisions {
  /** Undefined: nothing has to be reported. It must be fast, and must not throw. */
  observer: DecisionObserver | undefined;
}
