import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { ProblemError } from '../../platform/problems/problem.js';
import type { User } from '../users/user.entity.js';
import type { CarrierName } from './sign-in.entity.js';

/** The result of a proof of identity. */
export interface Proven {
  /** RFC 8176 */
  readonly amr: readonly string[];
  readonly secondFactor: boolean;
}

/** A proof of identity other than a password alone. */
export interface Proof extends Proven {
  readonly userId: string;
  /** For the log. */
  readonly method: string;
  /** A verified signature, which no limit on guesses holds back. */
  readonly unguessable?: true;
  /**
   * Uses the proof up in the transaction of the sign-in. The caller must hold the lock of the user's row. Returns why the
   * proof is not valid, or undefined if it is.
   */
  use(manager: EntityManager, user: User): Promise<string | undefined>;
  /** Runs instead of `use` if a limit refuses the attempt, so that the attempt costs nothing else. */
  limited?(): Promise<void>;
}

/** The fields of a body that prove who a person is, such as `{ totp }`. */
export type ProofFields = Readonly<Record<string, unknown>>;

/** An unfinished sign-in. Its parameters are plain data, so that a room can store them until the second request. */
export interface Attempt {
  readonly carrier: CarrierName;
  readonly parameters: unknown;
}

/** A room that requires more than a password. It declares its fields with `defineProofFields`. */
export interface FurtherProofs {
  /** Runs after a right password. Returns the answer if the sign-in needs another proof, or undefined. */
  demand(user: User, attempt: Attempt): Promise<ProblemError | undefined>;
  /** Reads again, under the lock of the user's row, whether the user needs another proof. */
  needed(manager: EntityManager, user: User): Promise<boolean>;
  /**
   * Reads the fields that a sign-in sent instead of a password. In the second request, `parameters` are those of the first.
   * @throws InvalidCredentialError
   */
  signIn(fields: ProofFields, carrier: CarrierName): Promise<{ proof: Proof; parameters?: unknown }>;
  /** Reads the fields that a signed-in person sent instead of a password. @throws InvalidCredentialError */
  reauthenticate(fields: ProofFields, userId: string): Promise<Proof>;
}

/** The extension point. Without a registered room, a password is enough and nothing else is accepted. */
@Injectable()
export class ProofRegistry implements FurtherProofs {
  #room: FurtherProofs | undefined;

  /** @throws if another room is registered */
  register(room: FurtherProofs): void {
    if (this.#room) throw new Error('another room asks for further proofs');
    this.#room = room;
  }

  async demand(user: User, attempt: Attempt): Promise<ProblemError | undefined> {
    return this.#room?.demand(user, attempt);
  }

  async needed(manager: EntityManager, user: User): Promise<boolean> {
    return this.#room?.needed(manager, user) ?? false;
  }

  async signIn(fields: ProofFields, carrier: CarrierName): ReturnType<FurtherProofs['signIn']> {
    return this.#registered().signIn(fields, carrier);
  }

  async reauthenticate(fields: ProofFields, userId: string): Promise<Proof> {
    return this.#registered().reauthenticate(fields, userId);
  }

  #registered(): FurtherProofs {
    if (!this.#room) throw new InvalidCredentialError('no room accepts this proof');
    return this.#room;
  }
}
