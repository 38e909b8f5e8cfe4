import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ShuttingDownError } from '../http/http.errors.js';

/** Whether this node accepts new requests. */
@Injectable()
export class Readiness {
  #draining = false;

  /** Turns readiness off, then waits until load balancers have seen it. The server still answers meanwhile. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    await setTimeout(ms);
  }

  /** @throws ShuttingDownError */
  check(): void {
    if (this.#draining) throw new ShuttingDownError();
  }
}
