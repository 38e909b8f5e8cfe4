import { Injectable } from '@nestjs/common';
import type { MachineClaims } from './access-token.js';

/** Knows the credentials that machines exchange for tokens. */
export interface MachineSource {
  /** Why the credential behind a token is over, as the database says, or what is remembered of it; undefined if it is not. */
  whyOver(claims: MachineClaims): Promise<string | undefined>;
}

/** What stands behind the tokens of machines. Whoever issues such tokens registers it: this room knows no keys. */
@Injectable()
export class Machines implements MachineSource {
  #source: MachineSource = { whyOver: async () => 'no machine has tokens here' };

  register(source: MachineSource): void {
    this.#source = source;
  }

  whyOver(claims: MachineClaims): Promise<string | undefined> {
    return this.#source.whyOver(claims);
  }
}
