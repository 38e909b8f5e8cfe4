import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A mail to send. It holds no secret: a mail with a one-time link is written when it is sent. */
@Entity('queued_mails')
@Index('queued_mails_next_attempt_at_idx', ['nextAttemptAt'])
@Check(
  'queued_mails_text_or_kind',
  `CASE WHEN kind IS NULL THEN subject IS NOT NULL AND text IS NOT NULL AND about IS NULL
   ELSE subject IS NULL AND text IS NULL END`,
)
export class QueuedMail {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'queued_mails_pkey' })
  id: string;

  /** One email address. */
  @Column('text')
  recipient: string;

  /** Of a mail that is written when it is sent. */
  @Column('text', { nullable: true })
  kind: string | null;

  /** The id of the row that such a mail is about. */
  @Column('uuid', { nullable: true })
  about: string | null;

  @Column('text', { nullable: true })
  subject: string | null;

  @Column('text', { nullable: true })
  text: string | null;

  @Column('timestamptz', { name: 'queued_at' })
  queuedAt: Date;

  /** The process that claimed the mail can send it until then. */
  @Column('timestamptz', { name: 'next_attempt_at' })
  nextAttemptAt: Date;
}
