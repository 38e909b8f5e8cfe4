import { Account } from './account.js';
import { Client, RefusedError } from './client.js';
import type { Credential, Desk } from './credential.js';
import { byId, onPress, onSubmit } from './dom.js';
import { messageOf } from './explain.js';
import { LaneView } from './lane-view.js';
import { LANES } from './lanes.js';
import { Race } from './race.js';
import { ROUTES } from './routes.js';
// room: mfa
import { manageFactors } from './factors.js';
// /room
// room: tokens
import { RefreshRace } from './refresh-race.js';
// /room

/** A sign-in is recent enough for keys and factors for 10 minutes by default. */
const RECENT_MS = 9 * 60_000;

type Say = (text: string) => void;

// The page is at the root of the API.
const api = new Client(new URL('.', document.baseURI).href);
const form = byId('account', HTMLFormElement);
const account = new Account(api, form);
const desk: Desk = { api, account, acting };

const route = byId('route', HTMLSelectElement);
route.append(...ROUTES.map(({ method, path }) => new Option(`${method} /${path}`)));
const views = LANES.map((lane) => new LaneView(lane, desk, () => ROUTES[route.selectedIndex]!));
const people = views.filter(({ lane }) => lane.person);

/** The credential of a person in a lane, or a new one in the first of these lanes. */
async function acting(): Promise<Credential> {
  const oldest = Date.now() - RECENT_MS;
  const usable = people.find(({ isValid, credential }) => isValid && credential!.since > oldest);
  return usable?.credential ?? people[0]!.get();
}

const sayIn =
  (id: string): Say =>
  (text) => {
    byId(id).textContent = text;
  };

/** Runs work, and shows what went wrong. */
async function tell(say: Say, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    say(messageOf(error));
  }
}

const sayAccount = sayIn('account-status');

async function signIn(before = ''): Promise<void> {
  const [first] = people;
  sayAccount(`${before}Signing in…`);
  await first!.get();
  sayAccount(`${before}You are signed in. The lane “${first!.title}” has the credential.`);
}

async function register(): Promise<void> {
  const message = await account.register();
  try {
    await signIn('Registered. ');
  } catch (error) {
    // The address must be confirmed first, or another person has it.
    if (!(error instanceof RefusedError)) throw error;
    sayAccount(message);
  }
}

onSubmit(form, () =>
  tell(sayAccount, async () => {
    // room: mfa
    account.byPasskey = false;
    // /room
    await signIn();
  }),
);
onPress(byId('register'), () => tell(sayAccount, register));
onPress(byId('call-all'), async () => {
  await Promise.all(views.map((view) => view.call()));
});

const sayRace = sayIn('race-status');
const race = new Race(desk, sayRace);
onPress(byId('race'), () =>
  tell(sayRace, async () => {
    // A browser has one session cookie, and the race gets another one.
    for (const view of views) if (view.lane.cookies) view.forget('The race has replaced this session.');
    await race.run();
  }),
);

// room: mfa
onPress(byId('with-passkey'), () =>
  tell(sayAccount, async () => {
    account.byPasskey = true;
    await signIn();
  }),
);
manageFactors(desk);
// /room

// room: tokens
const sayRefresh = sayIn('refresh-status');
const refreshRace = new RefreshRace(desk, sayRefresh);
const refresh = (isCoordinated: boolean) => () => tell(sayRefresh, () => refreshRace.run(isCoordinated));
onPress(byId('refresh-alone'), refresh(false));
onPress(byId('refresh-locked'), refresh(true));
// /room
