import { Authenticator } from './authenticator.js';
import { AuthenticatorApp } from './authenticator-app.js';
import type { Answer, Client } from './client.js';
import { SessionClient } from './modes/session.js';
import { expectStatus, type Person } from './person.js';
import type { TestServer } from './server.js';

/** A client with the session that an answer brought: after a sign-in, or with the new secrets of a renewal. */
export const sessionFrom = ({ url, secrets }: Client, answer: Answer): SessionClient =>
  SessionClient.from(url, secrets, { ...answer, status: 201 });

export interface TotpOwner {
  readonly app: AuthenticatorApp;
  readonly session: SessionClient;
  readonly recoveryCodes: string[];
}

/** Enrols an authenticator app in a session. */
export async function enrolTotp(server: TestServer, session: SessionClient): Promise<TotpOwner> {
  const { secret } = expectStatus(await session.post('/v1/mfa/totp'), 201).body;
  const app = new AuthenticatorApp(secret);
  const code = app.codeAt(await server.clock.now());
  const answer = expectStatus(await session.put('/v1/mfa/totp', { code }), 200);
  return { app, session: sessionFrom(session, answer), recoveryCodes: answer.body.recoveryCodes };
}

/** A code that was not used before: of a step that no earlier call has seen. */
export async function freshCode(server: TestServer, app: AuthenticatorApp): Promise<string> {
  await server.clock.advance('30s');
  return app.codeAt(await server.clock.now());
}

/** Enrols a passkey in a session. */
export async function enrolPasskey(
  server: TestServer,
  session: SessionClient,
  authenticator = new Authenticator(server.config.ISSUER),
): Promise<{ authenticator: Authenticator; session: SessionClient; answer: Answer }> {
  const options = expectStatus(await session.post('/v1/mfa/passkeys/options'), 200).body;
  const passkey = authenticator.create(options);
  const answer = expectStatus(await session.post('/v1/mfa/passkeys', { passkey, name: 'Laptop' }), 201);
  return { authenticator, session: sessionFrom(session, answer), answer };
}

/** The first request of a sign-in that needs a second factor: the body of `mfa-required`. */
export async function mfaRequired(
  { anonymous, email, password }: Person,
  path = '/v1/sessions',
  parameters: object = {},
): Promise<{ mfaToken: string; methods: string[]; passkeyOptions: any }> {
  const answer = await anonymous.post(path, { email, password, ...parameters });
  if (answer.problem !== 'mfa-required')
    throw new Error(`expected mfa-required, got ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Signs in by cookie with a password and a code. */
export async function sessionWithTotp(
  server: TestServer,
  person: Person,
  app: AuthenticatorApp,
): Promise<SessionClient> {
  const { mfaToken } = await mfaRequired(person);
  const totp = await freshCode(server, app);
  const client = person.anonymous;
  return SessionClient.from(
    client.url,
    client.secrets,
    await client.post('/v1/sessions', { mfaToken, totp }),
  );
}

/** The statuses of parallel answers, lowest first. */
export const statusesOf = (answers: readonly Answer[]): number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);
