import { type Answer, Client } from './client.js';
import type { SecretKeeper } from './secret-keeper.js';

/** A person with a password. The files in `modes/` sign the person in: `await sessionOf(ada)`. */
export class Person {
  constructor(
    readonly url: string,
    readonly secrets: SecretKeeper,
    readonly id: string,
    readonly email: string,
    public password: string,
  ) {}

  /** Calls without a credential. */
  get anonymous(): Client {
    return new Client(this.url, this.secrets);
  }
}

/** @throws where the answer has another status */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
}
