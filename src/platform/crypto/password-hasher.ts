import { availableParallelism } from 'node:os';
import { Injectable, Optional } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { clientOf } from '../logging/client-of.js';
import { requestContext } from '../logging/request-context.js';
import { defineProblem, ProblemError } from '../problems/problem.js';
import { FairQueue } from './fair-queue.js';

export interface Argon2Parameters {
  /** KiB */
  readonly memoryCost: number;
  /** Passes. */
  readonly timeCost: number;
  /** Lanes. */
  readonly parallelism: number;
}

/** OWASP's for argon2id (ASVS 11.4.2): 19 MiB, two passes, one lane; a hash takes some 20 ms. */
const PARAMETERS: Argon2Parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** A stored hash with higher ones is refused: other libraries' defaults are below, and 4 GiB would block all others. */
const HIGHEST: Argon2Parameters = { memoryCost: 65_536, timeCost: 10, parallelism: 4 };
/** libuv has four threads for argon2, DNS and files together: one stays free. */
const CONCURRENT = Math.min(3, Math.max(1, availableParallelism()));
/** Past this many waiting, an answer would come too late to be of use. */
const QUEUE_LIMIT = 200;

const BUSY = defineProblem({
  slug: 'busy',
  status: 503,
  title: 'Too many passwords are being checked',
  about:
    'Hashing a password is made slow on purpose, and only a few run at once. The queue is full: wait and try again.',
});

export class BusyError extends ProblemError {
  constructor() {
    super(BUSY, 'Too many sign-ins are under way. Try again in a few seconds.', {
      headers: { 'Retry-After': '5' },
    });
  }
}

/** An encoded argon2id hash of version 19, with its parameters. */
const ENCODED =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,86}$/;

/** Why a stored hash is not checked: argon2 obeys whatever parameters stand in it. Undefined for one that is. */
export function hashFault(stored: string): string | undefined {
  const [, memoryCost, timeCost, parallelism] = (ENCODED.exec(stored) ?? []).map(Number);
  if (memoryCost === undefined) return 'stored hash is not argon2id';
  return memoryCost > HIGHEST.memoryCost || timeCost! > HIGHEST.timeCost || parallelism! > HIGHEST.parallelism
    ? 'stored hash has parameters that are too high'
    : undefined;
}

/**
 * argon2id with bounded concurrency, so that many sign-ins at once cannot take all memory and threads (ASVS 15.2.2).
 * Client addresses take turns, and requests whose connection is closed lose their place.
 */
@Injectable()
export class PasswordHasher {
  #running = 0;
  readonly #waiting = new FairQueue(QUEUE_LIMIT);
  /** What an unknown address is checked against, so that it costs the same as a known one (ASVS 6.3.8). */
  readonly #dummy: Promise<string>;

  /** Nest gives no parameters: others than OWASP's are for tests, which sign in a thousand times. */
  constructor(@Optional() private readonly parameters: Argon2Parameters = PARAMETERS) {
    this.#dummy = hash('nobody has this password', parameters);
  }

  /** @throws BusyError when the queue is full */
  hash(password: string): Promise<string> {
    return this.#bounded(() => hash(password, this.parameters));
  }

  /**
   * Whether `password` is the one behind `stored`, an encoded argon2id hash. Without one, or with one that has a fault, it
   * does the same work and says no.
   * @throws BusyError when the queue is full
   */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const usable = stored !== undefined && hashFault(stored) === undefined ? stored : undefined;
    const against = usable ?? (await this.#dummy);
    // What argon2 cannot decode is nobody's password.
    const matches = await this.#bounded(() => verify(against, password).catch(() => false));
    return matches && usable !== undefined;
  }

  /** Whether a hash was made with other parameters than today's, and should be made anew at the next sign-in. */
  isOutdated(stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = this.parameters;
    return !stored.startsWith(`$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`);
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= CONCURRENT) await this.#turn();
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place is handed on, not given back, so that a newcomer cannot overtake the queue.
      const next = this.#waiting.next();
      if (next) next.enter();
      else this.#running -= 1;
    }
  }

  #turn(): Promise<void> {
    const context = requestContext();
    return new Promise((enter, reject) =>
      this.#waiting.add({
        client: context ? clientOf(context.ip) : 'this process',
        connection: context?.connection,
        enter,
        giveUp: () => reject(new BusyError()),
      }),
    );
  }
}
