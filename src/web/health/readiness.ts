import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ShuttingDownError } from '../../platform/problems/request-problems.js';

/** Whether this node is to be sent requests. */
@Injectable()
export class Readiness {
  #draining = false;

  /** Says no from now on, and resolves when load balancers have had time to see it. The server answers until then. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    await setTimeout(ms);
  }

  /** @throws ShuttingDownError */
  check(): void {
    if (this.#draining) throw new ShuttingDownError();
  }
}
