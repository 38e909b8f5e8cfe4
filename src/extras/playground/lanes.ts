import { trackRow } from './sections.js';

/** A kind of credential, as the page presents it. Its behaviour is in `browser/<room>.lane.ts`. */
interface LaneText {
  /** The name of the lane in the script. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
}

const LANES: readonly LaneText[] = [
  // room: sessions
  {
    id: 'session',
    title: 'Session',
    about: 'A random secret in a cookie. Scripts cannot read it, and the server looks it up.',
  },
  // /room
  // room: jwt
  {
    id: 'jwt',
    title: 'JWT',
    about: 'Signed claims. The server verifies the signature, and needs no query for that.',
  },
  // /room
  // room: opaque-tokens
  {
    id: 'opaque',
    title: 'Opaque token',
    about: 'A random bearer token. Only this server can say what it means.',
  },
  // /room
  // room: own-api-keys
  {
    id: 'api-key',
    title: 'API key',
    about: 'A long-lived secret for a machine, with the scopes that you give it.',
  },
  // /room
  // room: oauth
  {
    id: 'machine',
    title: 'Key → JWT',
    about: 'A JWT of at most 15 minutes, issued for an API key. It ends with the key.',
  },
  // /room
];

const lane = ({
  id,
  title,
  about,
}: LaneText) => `<article class="lane" id="lane-${id}" aria-labelledby="lane-${id}-title">
<h3 id="lane-${id}-title">${title}</h3>
<p class="about">${about}</p>
<p class="buttons">
<button type="button" data-do="get" aria-describedby="lane-${id}-title">Get</button>
<button type="button" data-do="call" aria-describedby="lane-${id}-title">Call</button>
<button type="button" data-do="end" aria-describedby="lane-${id}-title" disabled>Revoke</button>
</p>
<div class="answer" role="status"></div>
<div class="wire"></div>
</article>`;

/** The section of all lanes. */
export const lanes = (): string => `<section aria-labelledby="lanes-title">
<h2 id="lanes-title">Credentials</h2>
<div class="bar">
<label>Route <select id="route"></select></label>
<button type="button" id="call-all">Call with all</button>
</div>
<div class="lanes">
${LANES.map(lane).join('\n')}
</div>
</section>`;

const RACERS = [
  ...LANES,
  // room: jwt
  { id: 'jwks', title: 'JWT, signature only' },
  // /room
];

/** A row of the race for each lane. */
export const raceRows = (): string => RACERS.map(({ id, title }) => trackRow(`race-${id}`, title)).join('\n');
