import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from './client.js';
import { Person, Service } from './person.js';
import type { SecretKeeper } from './secret-keeper.js';
// room: users
import type { UsersService } from '../../src/accounts/users/users.service.js';
import type { PasswordHasher } from '../../src/platform/crypto/password-hasher.js';
import type { MailQueue } from '../../src/platform/mail/mail-queue.js';
// /room
// room: service-accounts
import type { ServiceAccountsService } from '../../src/extras/service-accounts/service-accounts.service.js';
// /room

export const PASSWORD = 'correct horse battery staple';

/** The mails in the outbox of a data directory, oldest first. */
async function readOutbox(dataDirectory: string): Promise<string[]> {
  const outbox = join(dataDirectory, 'outbox');
  const files = await readdir(outbox).catch(() => []);
  return Promise.all(
    // A mail that is being written ends in `.part`.
    files
      .filter((file) => file.endsWith('.eml'))
      .toSorted((a, b) => a.localeCompare(b))
      .map((file) => readFile(join(outbox, file), 'utf8')),
  );
}

/** The methods of a provider, each with a promise for its answer. */
export type Remote<T> = {
  [K in keyof T]: T[K] extends (...options: infer O) => infer R
    ? (...options: O) => Promise<Awaited<R>>
    : never;
};

/** What every server of the tests can do, whichever process it runs in. */
export abstract class People {
  abstract readonly url: string;
  abstract readonly secrets: SecretKeeper;
  abstract readonly config: { readonly DATA_DIRECTORY: string };
  /** The lines of the log. */
  protected abstract lines(): string[] | Promise<string[]>;
  protected abstract close(): Promise<void>;

  /** Answers with the rows. */
  abstract query(statement: string, parameters?: unknown[]): Promise<any>;
  /** A provider of the application by the name of its class, for what no request can do. */
  abstract provider<T>(name: string): Remote<T>;

  /** Calls without a credential. */
  get anonymous(): Client {
    return new Client(this.url, this.secrets);
  }

  /** Stops, and fails if any secret of the test stands in the log or in a table. */
  async stop(): Promise<void> {
    const log = await this.lines();
    const leaked = [
      ...this.secrets.foundIn(log.join('')).map((secret) => `the log: ${secret}`),
      ...(await this.secrets.foundInTables(this).catch(() => [])),
    ];
    await this.close();
    if (leaked.length > 0) throw new Error(`secrets leaked into ${leaked.join(', ')}`);
  }

  // room: service-accounts
  #services = 0;

  async serviceAccount(name = `Service ${++this.#services}`): Promise<Service> {
    await this.provider<ServiceAccountsService>('ServiceAccountsService').create({ name });
    const [{ id }] = await this.query('SELECT id FROM service_accounts WHERE name = $1', [name]);
    return new Service(this, id);
  }
  // /room

  // room: users
  #people = 0;

  /** A person who has confirmed the address. */
  async person({
    email = `person-${++this.#people}@example.com`,
    password = PASSWORD,
  } = {}): Promise<Person> {
    this.secrets.keep(password);
    const passwordHash = await this.provider<PasswordHasher>('PasswordHasher').hash(
      password.normalize('NFC'),
    );
    const fields = { email, name: null, passwordHash, emailVerifiedAt: new Date() };
    await this.provider<UsersService>('UsersService').insert(fields);
    return this.#known(email, password);
  }

  /** A person with the role `admin`. */
  async administrator(email = `admin-${++this.#people}@example.com`): Promise<Person> {
    await this.provider<UsersService>('UsersService').insertAdministrator(email, PASSWORD);
    return this.#known(email, PASSWORD);
  }

  async #known(email: string, password: string): Promise<Person> {
    const [user] = await this.query('SELECT id FROM users WHERE email = $1', [email]);
    return new Person(this, user.id, email, password);
  }

  /** The mails in the outbox, oldest first, each as the text of its file. Queued mails are delivered first. */
  async mails(): Promise<string[]> {
    await this.provider<MailQueue>('MailQueue').deliver();
    return readOutbox(this.config.DATA_DIRECTORY);
  }

  /** The token in the link of the last mail to an address. */
  async mailedToken(email: string): Promise<string> {
    const mail = (await this.mails()).findLast((text) => text.includes(`To: ${email}`));
    const token = /#([A-Za-z0-9_-]+)/.exec(mail ?? '')?.[1];
    if (!token) throw new Error(`no mail with a link to ${email}`);
    this.secrets.keep(token);
    return token;
  }
  // /room
}
