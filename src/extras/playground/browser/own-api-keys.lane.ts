import { accepted, type Answer, type Call } from './client.js';
import type { Credential, Desk, Fact, HeaderLine, Lane } from './credential.js';
import { checksumOf } from './checksum.js';
import { ROUTES } from './routes.js';

interface CreatedKey {
  readonly id: string;
  readonly key: string;
}

const CHECKSUM_LENGTH = 6;
/** A person who forgets to revoke the key has it for a day. */
const LIFETIME_MS = 86_400_000;

/** An API key of the person. */
export class ApiKey implements Credential {
  readonly since = Date.now();
  readonly expiresAt = new Date(this.since + LIFETIME_MS);

  constructor(
    private readonly desk: Desk,
    private readonly created: CreatedKey,
  ) {}

  get id(): string {
    return this.created.id;
  }

  get key(): string {
    return this.created.key;
  }

  lines = (): readonly HeaderLine[] => [{ name: 'X-API-Key', value: this.key }];

  facts = (): readonly Fact[] => {
    const [prefix, environment] = this.key.split('_');
    const body = this.key.slice(0, -CHECKSUM_LENGTH);
    const checksum = this.key.slice(-CHECKSUM_LENGTH);
    const verdict = checksumOf(body) === checksum ? 'is right' : 'is wrong';
    return [
      ['Prefix', `${prefix}_${environment}_, which secret scanners find`],
      ['Checksum', `${checksum}: the CRC-32 of the rest ${verdict}`],
      ['Expires', this.expiresAt.toLocaleString()],
    ];
  };

  send<Body>({ headers, ...call }: Call): Promise<Answer<Body>> {
    return this.desk.api.send<Body>({ ...call, headers: { ...headers, 'X-API-Key': this.key } });
  }

  async end(by?: Credential): Promise<Answer> {
    const owner = by ?? (await this.desk.acting());
    return owner.send({ method: 'DELETE', path: `v1/api-keys/${this.id}` });
  }
}

/** Makes a key that can call every example route. */
export async function makeKey(desk: Desk): Promise<ApiKey> {
  const owner = await desk.acting();
  const scopes = [...new Set(ROUTES.map(({ scope }) => scope))];
  const expiresAt = new Date(Date.now() + LIFETIME_MS).toISOString();
  const json = { name: 'Playground', scopes, expiresAt };
  const created = await owner.send<CreatedKey>({ method: 'POST', path: 'v1/api-keys', json });
  return new ApiKey(desk, accepted(created).body);
}

export const apiKeyLane: Lane = { id: 'api-key', person: false, cookies: false, get: makeKey };
