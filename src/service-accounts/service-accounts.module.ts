import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ServiceAccount } from './service-account.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([ServiceAccount])] })
export class ServiceAccountsModule {}
