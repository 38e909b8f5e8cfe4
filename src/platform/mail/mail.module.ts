import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailQueue } from './mail-queue.js';
import { MailService } from './mail.service.js';
import { QueuedMail } from './queued-mail.entity.js';
import { Mail1795300000035 } from '../../../migrations/1795300000035-mail.js';
import { defineMigrations } from '../database/migrations.js';

defineMigrations(Mail1795300000035);

@Module({
  imports: [TypeOrmModule.forFeature([QueuedMail])],
  providers: [MailQueue, MailService],
  exports: [MailQueue, MailService],
})
export class MailModule {}
