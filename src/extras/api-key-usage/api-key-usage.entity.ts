import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { ApiKey } from '../../modes/api-keys/api-key.entity.js';

const PRIMARY_KEY = 'api_key_usage_pkey';

/** The number of answered requests of a key, by hour and status class. */
@Entity('api_key_usage')
@Index('api_key_usage_hour_idx', ['hour'])
@Check('api_key_usage_status_class_known', 'status_class BETWEEN 1 AND 5')
export class ApiKeyUsage {
  @PrimaryColumn('uuid', { name: 'api_key_id', primaryKeyConstraintName: PRIMARY_KEY })
  apiKeyId: string;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'api_key_id', foreignKeyConstraintName: 'api_key_usage_api_key_id_fkey' })
  apiKey: Relation<ApiKey>;

  /** The start of the hour. */
  @PrimaryColumn('timestamptz', { primaryKeyConstraintName: PRIMARY_KEY })
  hour: Date;

  /** For example, 2 for 200 to 299. */
  @PrimaryColumn('smallint', { name: 'status_class', primaryKeyConstraintName: PRIMARY_KEY })
  statusClass: number;

  @Column('bigint')
  requests: string;

  /** The number of answers with 401, 403 or 429. */
  @Column('bigint')
  refusals: string;
}

/** A process that writes usage, with the number of its last written batch. */
@Entity('usage_writers')
export class UsageWriter {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'usage_writers_pkey' })
  id: string;

  @Column('bigint')
  sequence: string;

  @Column('timestamptz', { name: 'written_at' })
  writtenAt: Date;
}
