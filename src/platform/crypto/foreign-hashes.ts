import { setTimeout } from 'node:timers/promises';

/** A format of password hashes that another program has written. */
export interface ForeignHash {
  /** Whether a stored hash is meant as this format. It can have a fault. */
  recognises(stored: string): boolean;
  /** Why a hash is never checked, or undefined. A verification uses the cost in the hash, so the cost needs a limit. */
  faultOf(stored: string): string | undefined;
  /** Whether a password matches a hash without a fault. */
  verify(stored: string, password: string): Promise<boolean>;
}

/** The formats that this server verifies besides argon2id. A sign-in replaces their hashes. */
export class ForeignHashes {
  #formats: readonly ForeignHash[] = [];
  #refusalMs = 0;

  /**
   * Accepts formats. Their hashes take longer or shorter than argon2id, so every wrong password then takes the same time
   * (ASVS 6.3.8).
   * @param refusalMs longer than any accepted hash takes
   */
  accept(formats: readonly ForeignHash[], refusalMs: number): void {
    this.#formats = formats;
    this.#refusalMs = refusalMs;
  }

  formatOf(stored: string): ForeignHash | undefined {
    return this.#formats.find((format) => format.recognises(stored));
  }

  /** Settles when a refusal that starts now may be answered. Undefined if no format is accepted. */
  refusalTime(): Promise<void> | undefined {
    return this.#formats.length > 0 ? setTimeout(this.#refusalMs, undefined, { ref: false }) : undefined;
  }
}
