import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { ApiKey } from '../../modes/api-keys/api-key.entity.js';

const NETWORKS_PKEY = 'api_key_networks_pkey';
const ANOMALIES_PKEY = 'api_key_anomalies_pkey';
const WARNING_MAILS_PKEY = 'api_key_warning_mails_pkey';

/** A network that a lineage of keys was used from. */
@Entity('api_key_networks')
@Index('api_key_networks_last_seen_at_idx', ['lastSeenAt'])
export class ApiKeyNetwork {
  @PrimaryColumn('uuid', { name: 'lineage_id', primaryKeyConstraintName: NETWORKS_PKEY })
  lineageId: string;

  /** The first key of the lineage. */
  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'lineage_id', foreignKeyConstraintName: 'api_key_networks_lineage_id_fkey' })
  first: Relation<ApiKey>;

  @PrimaryColumn('cidr', { primaryKeyConstraintName: NETWORKS_PKEY })
  network: string;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt: Date;
}

export type AnomalyKind = 'new-network' | 'volume-spike' | 'refusal-burst';

/** An unusual use of a lineage of keys. */
@Entity('api_key_anomalies')
@Index('api_key_anomalies_api_key_id_idx', ['apiKeyId'])
@Index('api_key_anomalies_noticed_at_idx', ['noticedAt'])
@Index('api_key_anomalies_unmailed_idx', ['noticedAt'], { where: 'mailed_at IS NULL' })
@Check('api_key_anomalies_kind_known', `kind IN ('new-network', 'volume-spike', 'refusal-burst')`)
export class ApiKeyAnomaly {
  @PrimaryColumn('uuid', { name: 'lineage_id', primaryKeyConstraintName: ANOMALIES_PKEY })
  lineageId: string;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'lineage_id', foreignKeyConstraintName: 'api_key_anomalies_lineage_id_fkey' })
  first: Relation<ApiKey>;

  /** The key of the lineage that was used. */
  @Column('uuid', { name: 'api_key_id' })
  apiKeyId: string;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'api_key_id', foreignKeyConstraintName: 'api_key_anomalies_api_key_id_fkey' })
  apiKey: Relation<ApiKey>;

  @PrimaryColumn('text', { primaryKeyConstraintName: ANOMALIES_PKEY })
  kind: AnomalyKind;

  /** The network, or the hour as `2026-01-01T12:00Z`. Each has at most one anomaly of a kind. */
  @PrimaryColumn('text', { primaryKeyConstraintName: ANOMALIES_PKEY })
  about: string;

  /** The count of the hour so far, and in `usual` the highest count of an earlier hour. Null for a network. */
  @Column('bigint', { nullable: true })
  observed: string | null;

  @Column('bigint', { nullable: true })
  usual: string | null;

  @Column('timestamptz', { name: 'noticed_at' })
  noticedAt: Date;

  @Column('timestamptz', { name: 'mailed_at', nullable: true })
  mailedAt: Date | null;
}

/** When a warning about a key was mailed. */
@Entity('api_key_warning_mails')
export class ApiKeyWarningMail {
  @PrimaryColumn('uuid', { name: 'api_key_id', primaryKeyConstraintName: WARNING_MAILS_PKEY })
  apiKeyId: string;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'api_key_id', foreignKeyConstraintName: 'api_key_warning_mails_api_key_id_fkey' })
  apiKey: Relation<ApiKey>;

  @PrimaryColumn('text', { primaryKeyConstraintName: WARNING_MAILS_PKEY })
  warning: string;

  @Column('timestamptz', { name: 'mailed_at' })
  mailedAt: Date;
}
