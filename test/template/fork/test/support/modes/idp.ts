import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { Client } from '../client.js';
import type { People } from '../people.js';
import type { Person } from '../person.js';

const { privateKey, publicKey } = await generateKeyPair('ES256');

/** An identity provider that publishes its key. */
export class TestProvider {
  private constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<TestProvider> {
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] });
    const server = createServer((_request, answer) => answer.end(keys));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestProvider(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server);
  }

  /** A token for a subject. `claims` replace its own. */
  token(subject: string, claims: Record<string, unknown> = {}, key = privateKey): Promise<string> {
    return new SignJWT({ iss: this.issuer, aud: 'http://auth.example.com', sub: subject, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setExpirationTime('10m')
      .sign(key);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** A client with a token of the provider. The person gets an identity. */
export async function idpOf(server: People, provider: TestProvider, person: Person): Promise<Client> {
  const subject = uuidv7();
  await server.query('INSERT INTO identities (id, subject, user_id) VALUES ($1, $2, $3)', [
    uuidv7(),
    subject,
    person.id,
  ]);
  return presenting(person, await provider.token(subject));
}

export const presenting = ({ url, secrets }: Person, token: string): Client =>
  new Client(url, secrets, { Authorization: `IdP ${token}` });
