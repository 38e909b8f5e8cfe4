import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { ApiKeyAdmission } from '../../modes/api-keys/api-key.admission.js';
import { networkAround } from '../../modes/api-keys/networks.js';
import { Clock } from '../../platform/clock/clock.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { UNWRITTEN } from '../../platform/lookup/periodic-write.js';
import { WriteBehind } from '../../platform/lookup/write-behind.js';
import { Anomalies, type Anomaly } from './anomalies.js';

const INTERVAL_MS = 2_000;
/** How often a network in use is written again, so that it is not deleted. */
const REMEMBERED_MS = 3_600_000;
const MAX_REMEMBERED = 10_000;
/** A new network is no anomaly for a lineage with more networks than this. */
const MAX_NETWORKS = 1_000;

interface Sighting {
  readonly keyId: string;
  readonly ip: string;
  readonly at: Date;
}

// Networks belong to the lineage, so that a rotated key keeps the networks of its predecessor. The first network is not an
// anomaly. Rows are written in the order of the key, so that two nodes never wait for each other.
const WRITE = `
  WITH seen AS MATERIALIZED (
    SELECT DISTINCT ON (k.lineage_id, s.network) k.lineage_id, k.id AS api_key_id, s.network, s.at
    FROM unnest($1::uuid[], $2::cidr[], $3::timestamptz[]) AS s (id, network, at) JOIN api_keys k ON k.id = s.id
    ORDER BY k.lineage_id, s.network, s.at DESC),
  known AS MATERIALIZED (
    SELECT lineage_id, network, count(*) OVER (PARTITION BY lineage_id) AS of_lineage FROM api_key_networks
    WHERE lineage_id IN (SELECT lineage_id FROM seen)),
  fresh AS MATERIALIZED (
    SELECT s.*, coalesce(l.of_lineage, 0) AS of_lineage,
      row_number() OVER (PARTITION BY s.lineage_id ORDER BY s.network) AS nth
    FROM seen s LEFT JOIN (SELECT DISTINCT lineage_id, of_lineage FROM known) l ON l.lineage_id = s.lineage_id
    WHERE NOT EXISTS (SELECT FROM known k WHERE k.lineage_id = s.lineage_id AND k.network = s.network)),
  kept AS (
    INSERT INTO api_key_networks AS n (lineage_id, network, last_seen_at)
    SELECT s.lineage_id, s.network, s.at FROM seen s
    WHERE NOT EXISTS (
      SELECT FROM fresh f WHERE f.lineage_id = s.lineage_id AND f.network = s.network AND f.of_lineage + f.nth > $4)
    ORDER BY s.lineage_id, s.network
    ON CONFLICT (lineage_id, network) DO UPDATE SET last_seen_at = greatest(n.last_seen_at, excluded.last_seen_at))
  INSERT INTO api_key_anomalies (lineage_id, api_key_id, kind, about, noticed_at)
  SELECT lineage_id, api_key_id, 'new-network', network::text, at FROM fresh
  WHERE of_lineage > 0 AND of_lineage + nth <= $4
  ORDER BY lineage_id, network
  ON CONFLICT DO NOTHING
  RETURNING api_key_id AS "keyId", kind, about`;

/** Records the networks that keys are used from, and reports new ones. */
@Injectable()
export class NetworkWatch implements OnModuleInit, OnApplicationShutdown {
  readonly #sightings: WriteBehind<Sighting>;
  /** Pairs of key and address that were seen in this hour, so that most requests cost only one lookup in memory. */
  readonly #seen = new Set<string>();
  readonly #forgetting: NodeJS.Timeout;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly keys: ApiKeyAdmission,
    private readonly anomalies: Anomalies,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
    instruments: Instruments,
  ) {
    this.#sightings = new WriteBehind(
      INTERVAL_MS,
      (sightings) => this.#write([...sightings.values()]),
      (err) => logger.warn({ err }, 'could not write the networks of API keys, will try again'),
    );
    this.#forgetting = setInterval(() => this.#seen.clear(), REMEMBERED_MS).unref();
    instruments.add(UNWRITTEN, () => this.#sightings.size, { queue: 'api-key-networks' });
  }

  onModuleInit(): void {
    this.keys.whenAnswered(({ keyId, ip }) => this.#see(keyId, ip));
  }

  /** Writes all sightings now. Never rejects. */
  flush(): Promise<void> {
    return this.#sightings.flush();
  }

  /** Runs before the hook in which TypeORM closes the pool. */
  onApplicationShutdown(): Promise<void> {
    clearInterval(this.#forgetting);
    return this.#sightings.stop();
  }

  #see(keyId: string, ip: string): void {
    const pair = `${keyId} ${ip}`;
    if (this.#seen.has(pair)) return;
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.add(pair);
    this.#sightings.set(pair, { keyId, ip, at: this.clock.now() });
  }

  async #write(sightings: Sighting[]): Promise<void> {
    const all = sightings.flatMap(({ ip, ...rest }) => {
      const network = networkAround(ip);
      return network === undefined ? [] : [{ ...rest, network }];
    });
    const found: Anomaly[] = await this.dataSource.query(WRITE, [
      all.map(({ keyId }) => keyId),
      all.map(({ network }) => network),
      all.map(({ at }) => at),
      MAX_NETWORKS,
    ]);
    if (found.length === 0) return;
    this.anomalies.log(found);
    await this.anomalies.mailNow();
  }
}
