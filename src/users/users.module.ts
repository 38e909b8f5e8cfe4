import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EmailVerification } from './email-verification.entity.js';
import { EmailVerificationsHousekeeping } from './email-verifications.housekeeping.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { Subject } from './subject.entity.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { VerifyPageController } from './verify-page.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Subject, User, EmailVerification])],
  controllers: [UsersController, VerifyPageController],
  providers: [EmailVerificationsHousekeeping, UsersService, EmailVerificationsService],
  exports: [UsersService, EmailVerificationsService],
})
export class UsersModule {}
