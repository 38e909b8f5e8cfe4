import { type Answer, Client } from './client.js';
import type { People } from './people.js';
import type { SecretKeeper } from './secret-keeper.js';

/** Somebody that can own credentials. */
abstract class Owner {
  constructor(
    readonly server: People,
    readonly id: string,
  ) {}

  /** How the command line names the owner of a key. */
  abstract readonly named: string;

  get url(): string {
    return this.server.url;
  }

  get secrets(): SecretKeeper {
    return this.server.secrets;
  }

  /** Calls without a credential. */
  get anonymous(): Client {
    return this.server.anonymous;
  }
}

/** A person with a password. The files in `modes/` sign the person in: `await sessionOf(ada)`. */
export class Person extends Owner {
  constructor(
    server: People,
    id: string,
    readonly email: string,
    public password: string,
  ) {
    super(server, id);
  }

  override get named(): string {
    return this.email;
  }

  /** The same person as a client of another server that shares the database. */
  at(server: People): Person {
    return new Person(server, this.id, this.email, this.password);
  }
}

/** A service account. It has API keys, and nothing else. */
export class Service extends Owner {
  override get named(): string {
    return this.id;
  }
}

export type { Owner };

/** @throws where the answer has another status */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
}
