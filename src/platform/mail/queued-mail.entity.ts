import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A mail that is not sent yet. It holds no secret: one with a one-time link is sent at once, or never. */
@Entity('queued_mails')
@Index('queued_mails_next_attempt_at_idx', ['nextAttemptAt'])
export class QueuedMail {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'queued_mails_pkey' })
  id: string;

  /** One address. */
  @Column('text')
  recipient: string;

  @Column('text')
  subject: string;

  @Column('text')
  text: string;

  @Column('timestamptz', { name: 'queued_at' })
  queuedAt: Date;

  /** Until then whoever tries has it. */
  @Column('timestamptz', { name: 'next_attempt_at' })
  nextAttemptAt: Date;
}
