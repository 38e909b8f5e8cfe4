import { Module } from '@nestjs/common';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { SignInsModule } from '../sign-ins/sign-ins.module.js';
import { UsersModule } from '../users/users.module.js';
import { LeavingController } from './leaving.controller.js';
import { LeavingService } from './leaving.service.js';

@Module({
  imports: [MailModule, RateLimitsModule, SignInsModule, UsersModule],
  controllers: [LeavingController],
  providers: [LeavingService],
})
export class LeavingModule {}
