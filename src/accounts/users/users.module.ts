import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountTakeover } from './account-takeover.js';
import { EmailVerification } from './email-verification.entity.js';
import { EmailVerificationsHousekeeping } from './email-verifications.housekeeping.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { Registration } from './registration.entity.js';
import { RegistrationsHousekeeping } from './registrations.housekeeping.js';
import { RegistrationsService } from './registrations.service.js';
import { SubjectsModule } from '../subjects/subjects.module.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { VerifyPageController } from './verify-page.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, Registration, EmailVerification]), SubjectsModule],
  controllers: [UsersController, VerifyPageController],
  providers: [
    AccountTakeover,
    EmailVerificationsHousekeeping,
    EmailVerificationsService,
    RegistrationsHousekeeping,
    RegistrationsService,
    UsersService,
  ],
  exports: [AccountTakeover, EmailVerificationsService, UsersService],
})
export class UsersModule {}
