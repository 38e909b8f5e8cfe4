import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailQueue } from './mail-queue.js';
import { MailService } from './mail.service.js';
import { QueuedMail } from './queued-mail.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([QueuedMail])],
  providers: [MailQueue, MailService],
  exports: [MailQueue, MailService],
})
export class MailModule {}
