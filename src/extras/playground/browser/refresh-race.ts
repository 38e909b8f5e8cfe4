import { type Client, RefusedError } from './client.js';
import type { Desk } from './credential.js';
import { type Outcome, RefreshingClient, type TokenResponse } from './refreshing-client.js';
import { Track } from './track.js';

const CLIENTS = 5;
const TRACK_MS = 250;

/** Five clients refresh the same sign-in at the same time. */
export class RefreshRace {
  constructor(
    private readonly desk: Desk,
    private readonly say: (text: string) => void,
  ) {}

  async run(coordinated: boolean): Promise<void> {
    this.say('Looking for a sign-in with a refresh cookie.');
    const token = await this.#token();
    this.say('Five clients refresh.');
    const outcomes = await race(this.desk.api, coordinated, token);
    const asked = outcomes.filter(({ from }) => from === 'server').length;
    const tokens = new Set(outcomes.map((outcome) => outcome.token)).size;
    const requests = asked === 1 ? '1 request' : `${asked} requests`;
    const received = tokens === 1 ? '1 access token' : `${tokens} access tokens`;
    const why = coordinated
      ? 'The others took the token of the first.'
      : 'The server gives the losers of a race the same successor, so nobody is signed out.';
    this.say(`${requests}, ${received}. ${why}`);
  }

  /** The cookie can be there from an earlier visit, or from another tab. */
  async #token(): Promise<string> {
    const visitor = new RefreshingClient(this.desk.api, false);
    try {
      return (await visitor.refresh()).token;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    } finally {
      visitor.close();
    }
    const parameters = { refreshIn: 'cookie' };
    const { access_token: token } = await this.desk.account.signIn<TokenResponse>(
      'v1/tokens',
      parameters,
      true,
    );
    return token;
  }
}

async function race(api: Client, coordinated: boolean, token: string): Promise<Outcome[]> {
  const clients = Array.from({ length: CLIENTS }, () => new RefreshingClient(api, coordinated, token));
  const start = performance.now();
  try {
    return await Promise.all(
      clients.map(async (client, index) => {
        const track = new Track(`tab-${index + 1}`, 0, TRACK_MS);
        track.clear();
        const outcome = await client.refresh();
        const ms = performance.now() - start;
        track.mark(outcome.from === 'server' ? 'asking' : 'waiting', 0, ms);
        track.result = `${ms.toFixed(0)} ms, from ${outcome.from === 'server' ? 'the server' : 'another client'}`;
        return outcome;
      }),
    );
  } finally {
    for (const client of clients) client.close();
  }
}
