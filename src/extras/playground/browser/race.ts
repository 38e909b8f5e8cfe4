import type { Credential, Desk } from './credential.js';
import { pause } from './dom.js';
import { LANES } from './lanes.js';
import { PROBE } from './routes.js';
import { type Mark, Track } from './track.js';
// room: jwt
import { SignatureCheck } from './jwks.js';
import type { BearerToken } from './token.lane.js';
// /room

/** Before and after the revocation. */
const BEFORE_MS = 1000;
const AFTER_MS = 3000;
const BETWEEN_CALLS_MS = 60;

/** A credential that is used again and again. */
interface Racer {
  readonly id: string;
  readonly credential: Credential;
  /** When the revocation was answered. Racers with the same credential share it. */
  readonly revocation: { at?: number };
  accepts(): Promise<boolean>;
}

/** Gets one credential of each kind, keeps calling with each, revokes them, and draws what happens. */
export class Race {
  constructor(
    private readonly desk: Desk,
    private readonly say: (text: string) => void,
  ) {}

  async run(): Promise<void> {
    // A session that ends itself also clears its cookie, so another sign-in revokes it, if there can be one.
    const revoker = await LANES.find(({ person, cookies }) => person && !cookies)?.get(this.desk);
    const racers = await this.#line();
    const others: Racer[] = [];
    // room: jwt
    others.push(await this.#bySignature(racers.find(({ id }) => id === 'jwt')!));
    // /room
    this.say('Calling with all of them.');
    const start = performance.now();
    const runs = [...racers, ...others].map((racer) => run(racer, start));
    await pause(BEFORE_MS);
    // In reverse, because the first ones have made the last ones.
    for (const { credential, revocation } of racers.toReversed()) {
      await credential.end(revoker);
      revocation.at = performance.now();
    }
    this.say('Revoked. The calls go on for 3 seconds.');
    await Promise.all(runs);
    await revoker?.end();
    this.say('The race is over.');
  }

  async #line(): Promise<Racer[]> {
    const racers: Racer[] = [];
    for (const lane of LANES) {
      this.say(`Getting credential ${racers.length + 1} of ${LANES.length}.`);
      const [first] = racers;
      // The keys of the race belong to a sign-in of the race.
      const desk = first ? { ...this.desk, acting: () => Promise.resolve(first.credential) } : this.desk;
      const credential = await lane.get(desk);
      const accepts = async () => (await credential.send(PROBE)).status < 400;
      racers.push({ id: lane.id, credential, revocation: {}, accepts });
    }
    return racers;
  }

  // room: jwt
  /** The same JWT, for a service that does not get the revocations. */
  async #bySignature({ credential, revocation }: Racer): Promise<Racer> {
    const check = await SignatureCheck.load(this.desk.api);
    const { token } = credential as BearerToken;
    return { id: 'jwks', credential, revocation, accepts: () => check.accepts(token) };
  }
  // /room
}

async function run({ id, credential, revocation, accepts }: Racer, start: number): Promise<void> {
  const track = new Track(`race-${id}`, -BEFORE_MS, AFTER_MS);
  const marks: [Mark, number][] = [];
  let acceptedFor = 0;
  for (;;) {
    const began = performance.now();
    // Until the revocation, its moment is a guess. All marks then move to their places.
    const origin = () => revocation.at ?? start + BEFORE_MS;
    if (began - origin() > AFTER_MS && revocation.at !== undefined) return;
    const isAccepted = await accepts();
    marks.push([isAccepted ? 'accepted' : 'refused', began]);
    track.clear();
    track.line(0);
    for (const [kind, time] of marks) track.mark(kind, time - origin());
    if (isAccepted && revocation.at !== undefined) acceptedFor = Math.max(0, began - revocation.at);
    if (!isAccepted) track.result = `refused after ${acceptedFor.toFixed(0)} ms`;
    else if (revocation.at === undefined) track.result = 'accepted';
    else track.result = `still accepted, until ${credential.expiresAt?.toLocaleTimeString() ?? 'it expires'}`;
    await pause(BETWEEN_CALLS_MS);
  }
}
