/** Fields of requests and answers whose values nobody else may ever see. */
const SECRET_FIELDS = new Set([
  'password',
  'currentPassword',
  'newPassword',
  'csrfToken',
  'access_token',
  'refresh_token',
  'refreshToken',
  'key',
  'token',
  'client_secret',
  'subject_token',
  'mfaToken',
  'secret',
  'otpauthUri',
  'qrSvg',
  'recoveryCode',
  'emailCode',
]);
/** Shorter ones stand in other texts by chance. */
const SHORTEST = 8;

/** Remembers every secret that a test made, and looks for them where none may be. */
export class SecretKeeper {
  readonly #secrets = new Set<string>();

  keep(secret: string): void {
    if (secret.length >= SHORTEST) this.#secrets.add(secret);
  }

  /** Keeps the secret fields of a body, however deep. */
  keepAllOf(body: unknown): void {
    if (typeof body !== 'object' || body === null) return;
    for (const [name, value] of Object.entries(body)) {
      if (typeof value === 'string' && SECRET_FIELDS.has(name)) this.keep(value);
      else if (name === 'recoveryCodes' && Array.isArray(value))
        for (const code of value) this.keep(code as string);
      else this.keepAllOf(value);
    }
  }

  get size(): number {
    return this.#secrets.size;
  }

  /** Those that stand in `text`, as they are or as bytea prints them. */
  foundIn(text: string): string[] {
    return [...this.#secrets].filter(
      (secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString('hex')),
    );
  }

  /** Those that stand in any table, with its name. */
  async foundInTables(database: { query(statement: string): Promise<any> }): Promise<string[]> {
    const tables: { name: string }[] = await database.query(
      `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const rows: { row: string }[] = await database.query(`SELECT t::text AS row FROM ${name} t`);
      const all = rows.map(({ row }) => row).join('\n');
      found.push(...this.foundIn(all).map((secret) => `${name}: ${secret}`));
    }
    return found;
  }
}
