import { type Answer, Client } from '../client.js';
import { expectStatus, type Person } from '../person.js';
import type { SecretKeeper } from '../secret-keeper.js';

/** A client whose credential is a session cookie. It sends the CSRF token along. */
export class SessionClient extends Client {
  cookie: string;
  csrfToken: string;
  /** The id of the sign-in. */
  signInId: string;

  static from(url: string, secrets: SecretKeeper, answer: Answer): SessionClient {
    expectStatus(answer, 201);
    const cookie = answer.cookies['__Host-session']!;
    const { csrfToken, session } = answer.body;
    const client = new SessionClient(url, secrets, {
      Cookie: `__Host-session=${cookie}`,
      'X-CSRF-Token': csrfToken,
    });
    return Object.assign(client, { cookie, csrfToken, signInId: session.id });
  }
}

/** Signs a person in by cookie. */
export async function sessionOf({
  url,
  secrets,
  email,
  password,
  anonymous,
}: Person): Promise<SessionClient> {
  return SessionClient.from(url, secrets, await anonymous.post('/v1/sessions', { email, password }));
}
