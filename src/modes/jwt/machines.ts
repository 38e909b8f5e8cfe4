import { Injectable } from '@nestjs/common';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { PrincipalFields } from '../../auth/principal.js';
import type { MachineClaims } from './access-token.js';

/** What stands behind the token of a machine, and works now. */
export interface Machine extends Pick<PrincipalFields, 'resources'> {
  readonly kind: 'machine' | 'service-account';
  /** Lets the request under way pass, within what the machine is bound to. @throws ProblemError */
  admit(): Promise<void>;
}

/** Knows the credentials that machines exchange for tokens. */
export interface MachineSource {
  /** As the database says, or what is remembered of it. @throws InvalidCredentialError for what is over */
  find(claims: MachineClaims): Promise<Machine>;
}

/** What stands behind the tokens of machines. Whoever issues such tokens registers it: this room knows no keys. */
@Injectable()
export class Machines implements MachineSource {
  #source: MachineSource = {
    find: async () => {
      throw new InvalidCredentialError('no machine has tokens here');
    },
  };

  register(source: MachineSource): void {
    this.#source = source;
  }

  find(claims: MachineClaims): Promise<Machine> {
    return this.#source.find(claims);
  }
}
