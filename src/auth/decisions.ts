import { Injectable } from '@nestjs/common';

/** Gets the mode of the credential, if the request has one, and `allowed` or the slug of the problem. */
export type DecisionObserver = (mode: string | undefined, result: string) => void;

/** Reports each decision of the guard about a route that needs a credential. */
@Injectable()
export class Decisions {
  #observer: DecisionObserver | undefined;

  /** Undefined if no room observes. */
  get observer(): DecisionObserver | undefined {
    return this.#observer;
  }

  /** @param observer must be fast, and must not throw @throws if another room observes */
  observe(observer: DecisionObserver): void {
    if (this.#observer) throw new Error('the decisions of the guard already have an observer');
    this.#observer = observer;
  }
}
