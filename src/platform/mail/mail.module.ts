import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailKinds } from './mail-kinds.js';
import { MailQueue } from './mail-queue.js';
import { MailService } from './mail.service.js';
import { QueuedMail } from './queued-mail.entity.js';
import { Mail1795300000035 } from '../../../migrations/1795300000035-mail.js';
import { MailWithLinks1795300000050 } from '../../../migrations/1795300000050-mail-with-links.js';
import { defineMigrations } from '../database/migrations.js';

defineMigrations(Mail1795300000035, MailWithLinks1795300000050);

@Module({
  imports: [TypeOrmModule.forFeature([QueuedMail])],
  providers: [MailKinds, MailQueue, MailService],
  exports: [MailKinds, MailQueue],
})
export class MailModule {}
