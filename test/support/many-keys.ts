import type { People } from './people.js';

/** Gives an owner many keys, which nobody can present. `expiry` is SQL. */
export const insertKeys = (
  database: Pick<People, 'query'>,
  ownerId: string,
  count: number,
  expiry = 'NULL',
) =>
  database.query(
    `INSERT INTO api_keys (id, owner_id, lineage_id, name, prefix, last4, key_hash, scopes, created_at, expires_at)
     SELECT id, $1, id, 'One of many', 'x', 'x', uuid_send(id), '{probes:read}', now(), ${expiry}
     FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)) one`,
    [ownerId, count],
  );
