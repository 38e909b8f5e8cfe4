import { Module } from '@nestjs/common';
import { SignInsModule } from '../sign-ins/sign-ins.module.js';
import { AdminController } from './admin.controller.js';
import { AdminService } from './admin.service.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';

@Module({
  imports: [SignInsModule, RevocationsModule],
  controllers: [AdminController],
  providers: [AdminService],
})
export class AdminModule {}
