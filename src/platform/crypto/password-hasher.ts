import { availableParallelism } from 'node:os';
import { Injectable, Optional } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { clientOf } from '../logging/client-of.js';
import { requestContext } from '../logging/request-context.js';
import { defineProblem, ProblemError } from '../problems/problem.js';
import { FairQueue } from './fair-queue.js';
import { ForeignHashes } from './foreign-hashes.js';

export interface Argon2Parameters {
  /** KiB */
  readonly memoryCost: number;
  /** Passes. */
  readonly timeCost: number;
  /** Lanes. */
  readonly parallelism: number;
}

/** Recommended by OWASP for argon2id (ASVS 11.4.2): 19 MiB, two passes, one lane. A hash takes about 20 ms. */
const PARAMETERS: Argon2Parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Limits for stored hashes, above the defaults of other libraries. A hash with 4 GiB would block all sign-ins. */
const HIGHEST: Argon2Parameters = { memoryCost: 65_536, timeCost: 10, parallelism: 4 };
/** One processor stays free for other requests. argon2, DNS and files share libuv's four threads, of which one stays free. */
const CONCURRENT = Math.min(3, Math.max(1, availableParallelism() - 1));
/** With a longer queue, answers would come too late. */
const QUEUE_LIMIT = 200;

interface Attempt {
  /** The password before its normalisation. Other programs have hashed this one. */
  readonly received?: string;
  /** The answer is a refusal, also for the right password. It must take the same time as for a wrong one. */
  readonly isRefused?: boolean;
}

const BUSY = defineProblem({
  slug: 'busy',
  status: 503,
  title: 'Too many sign-ins at once',
  about:
    'Password hashing is slow on purpose, and only a few hashes run at once. The queue is full. Repeat the request after the time in Retry-After.',
});

export class BusyError extends ProblemError {
  constructor() {
    super(BUSY, 'The server is busy. Try again in a few seconds.', {
      headers: { 'Retry-After': '5' },
    });
  }
}

/** An encoded argon2id hash of version 19. */
const ENCODED =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,86}$/;

/** The fault of a stored hash, or undefined. argon2 would use any parameters that the hash contains. */
export function hashFault(stored: string): string | undefined {
  const [, memoryCost, timeCost, parallelism] = (ENCODED.exec(stored) ?? []).map(Number);
  if (memoryCost === undefined) return 'stored hash is not argon2id';
  return memoryCost > HIGHEST.memoryCost || timeCost! > HIGHEST.timeCost || parallelism! > HIGHEST.parallelism
    ? 'stored hash has parameters that are too high'
    : undefined;
}

/**
 * argon2id with limited concurrency, so that many sign-ins cannot use all memory and threads (ASVS 15.2.2). Client
 * addresses take turns. A request with a closed connection leaves the queue.
 */
@Injectable()
export class PasswordHasher {
  #running = 0;
  #refused = 0;
  readonly #waiting = new FairQueue(QUEUE_LIMIT);
  /** Formats of other programs. Empty until a room accepts some. */
  readonly foreign = new ForeignHashes();
  /** Checked for an unknown email address, so that the answer takes the same time (ASVS 6.3.8). */
  readonly #dummy: Promise<string>;

  /** @param parameters cheaper ones for tests; Nest passes none */
  constructor(@Optional() private readonly parameters: Argon2Parameters = PARAMETERS) {
    this.#dummy = hash('nobody has this password', parameters);
  }

  /** The instruments read this. */
  get state() {
    const { size: waiting, limit } = this.#waiting;
    return { running: this.#running, refused: this.#refused, waiting, limit };
  }

  /** @throws BusyError when the queue is full */
  hash(password: string): Promise<string> {
    return this.#bounded(() => hash(password, this.parameters));
  }

  /** The fault of a stored hash that is never checked, or undefined. */
  faultOf(stored: string): string | undefined {
    const format = this.foreign.formatOf(stored);
    return format ? format.faultOf(stored) : hashFault(stored);
  }

  /**
   * Whether a password matches `stored`. Without a valid hash, it does the same work and returns false.
   * @throws BusyError when the queue is full
   */
  async verify(
    stored: string | undefined,
    password: string,
    { received = password, isRefused = false }: Attempt = {},
  ): Promise<boolean> {
    const usable = stored !== undefined && this.faultOf(stored) === undefined ? stored : undefined;
    const format = usable === undefined ? undefined : this.foreign.formatOf(usable);
    const against = usable ?? (await this.#dummy);
    let refusal: Promise<void> | undefined;
    const matches = await this.#bounded(() => {
      refusal = this.foreign.refusalTime();
      const work = format ? format.verify(against, received) : verify(against, password);
      // A hash that cannot be decoded matches no password.
      return work.catch(() => false);
    });
    const isRight = matches && usable !== undefined;
    if (!isRight || isRefused) await refusal;
    return isRight;
  }

  /** Whether a hash has other parameters than the current ones. The next sign-in replaces it. */
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
      // The next one in the queue takes this place directly, so that a new request cannot overtake it.
      const next = this.#waiting.next();
      if (next) next.enter();
      else this.#running -= 1;
    }
  }

  #turn(): Promise<void> {
    const context = requestContext();
    const connection = context?.connection;
    return new Promise((enter, reject) =>
      this.#waiting.add({
        client: context ? clientOf(context.ip) : 'this process',
        connection,
        enter,
        giveUp: () => {
          // A request whose client has disconnected does not count as refused.
          if (!connection?.destroyed) this.#refused += 1;
          reject(new BusyError());
        },
      }),
    );
  }
}
