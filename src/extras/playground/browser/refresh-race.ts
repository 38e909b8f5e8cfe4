// room: tokens
import { TokenClient } from '../../../../examples/clients/typescript/token-client.js';
import { askForPair, jsonBody } from '../../../../examples/clients/typescript/token-pair.js';
// /room
import type { Desk } from './credential.js';
import { Track } from './track.js';

const CLIENTS = 5;
const TRACK_MS = 250;

/** Gets an access token with the refresh cookie of the browser. Returns whether it asked the server. */
type Refresh = (url: string) => Promise<boolean>;

/** One tab at a time refreshes (Web Locks), and the others take its token (BroadcastChannel). */
const withLock: Refresh = async (url) => {
  let asked = false;
  const counting: typeof fetch = (...request) => {
    asked = true;
    return fetch(...request);
  };
  const client = new TokenClient({ url, refreshIn: 'cookie', fetch: counting });
  try {
    if (!(await client.resume())) throw new Error('The sign-in has ended. Try again.');
    return asked;
  } finally {
    client.close();
  }
};

const withoutLock: Refresh = async (url) => {
  const { ok, status } = await askForPair(url, { ...jsonBody({}), credentials: 'include' });
  if (!ok) throw new Error(`The server answered ${status}. Try again.`);
  return true;
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
    const asked = await this.#race(coordinated ? withLock : withoutLock);
    const requests = asked === 1 ? '1 request' : `${asked} requests`;
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
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        const track = new Track(`tab-${index + 1}`, 0, TRACK_MS);
        track.clear();
        const asked = await refresh(this.desk.api.root);
        const ms = performance.now() - start;
        track.mark(asked ? 'asking' : 'waiting', 0, ms);
        track.result = `${ms.toFixed(0)} ms, from ${asked ? 'the server' : 'another client'}`;
        return asked;
      }),
    );
    return answers.filter(Boolean).length;
  }
}
