// room: tokens
import { TokenClient } from '../../../../examples/clients/typescript/token-client.js';
import { askForPair, jsonBody } from '../../../../examples/clients/typescript/token-pair.js';
// /room
import type { Desk } from './credential.js';
import { Track } from './track.js';

const CLIENTS = 5;
const TRACK_MS = 250;

/** Gets an access token with the refresh cookie of the browser. */
type Refresh = (url: string, send: typeof fetch) => Promise<void>;

/** One tab at a time refreshes (Web Locks), and the others take its token (BroadcastChannel). */
const withLock: Refresh = async (url, send) => {
  const client = new TokenClient({ url, refreshIn: 'cookie', fetch: send });
  try {
    if (!(await client.resume())) throw new Error('The sign-in has ended. Try again.');
  } finally {
    client.close();
  }
};

const withoutLock: Refresh = async (url, send) => {
  const { ok, status } = await askForPair(url, { ...jsonBody({}), credentials: 'include' }, send);
  if (!ok) throw new Error(`The server answered ${status}. Try again.`);
};

/** Five clients refresh the same sign-in at the same time. */
export class RefreshRace {
  constructor(
    private readonly desk: Desk,
    private readonly say: (text: string) => void,
  ) {}

  async run(coordinated: boolean): Promise<void> {
    this.say('Looking for a sign-in with a refresh cookie.');
    await this.#signIn();
    this.say('Five clients refresh.');
    const sent = await this.#race(coordinated ? withLock : withoutLock);
    const requests = sent === 1 ? '1 request' : `${sent} requests`;
    const why = coordinated
      ? 'The others took the token of the first.'
      : 'The server gives the losers of a race the same refresh token as the winner, so nobody is signed out.';
    this.say(`${requests}. ${why}`);
  }

  /** The cookie can be there from an earlier visit, or from another tab. */
  async #signIn(): Promise<void> {
    const visitor = new TokenClient({ url: this.desk.api.root, refreshIn: 'cookie' });
    try {
      if (await visitor.resume()) return;
    } finally {
      visitor.close();
    }
    await this.desk.account.signIn('v1/tokens', { refreshIn: 'cookie' }, true);
  }

  /** Returns how many requests it took. */
  async #race(refresh: Refresh): Promise<number> {
    let sent = 0;
    const start = performance.now();
    const one = async (_: unknown, index: number) => {
      const track = new Track(`tab-${index + 1}`, 0, TRACK_MS);
      track.clear();
      let hasAsked = false;
      await refresh(this.desk.api.root, (...request) => {
        hasAsked = true;
        sent += 1;
        return fetch(...request);
      });
      const ms = performance.now() - start;
      track.mark(hasAsked ? 'asking' : 'waiting', 0, ms);
      track.result = `${ms.toFixed(0)} ms, from ${hasAsked ? 'the server' : 'another client'}`;
    };
    await Promise.all(Array.from({ length: CLIENTS }, one));
    return sent;
  }
}
