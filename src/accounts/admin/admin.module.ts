import { Module } from '@nestjs/common';
import { SignInsModule } from '../sign-ins/sign-ins.module.js';
import { AdminController } from './admin.controller.js';
import { AdminService } from './admin.service.js';

@Module({ imports: [SignInsModule], controllers: [AdminController], providers: [AdminService] })
export class AdminModule {}
