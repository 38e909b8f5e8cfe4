import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Tenants1795400000003 } from '../../migrations/1795400000003-tenants.js';
import { SubjectsModule } from '../accounts/subjects/subjects.module.js';
import { defineMigrations } from '../platform/database/migrations.js';
import { defineTag } from '../web/openapi/tags.js';
import { TenantMember } from './tenant-member.entity.js';
import { TenantRequirement } from './tenant.requirement.js';
import { TenantsController } from './tenants.controller.js';

defineTag('tenants', 'The tenants that a user or a service account belongs to');

defineMigrations(Tenants1795400000003);

@Module({
  imports: [TypeOrmModule.forFeature([TenantMember]), SubjectsModule],
  controllers: [TenantsController],
  providers: [TenantRequirement],
})
export class TenantsModule {}
