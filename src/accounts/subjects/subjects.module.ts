import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Subjects1795300000021 } from '../../../migrations/1795300000021-subjects.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { Subject } from './subject.entity.js';

defineMigrations(Subjects1795300000021);

@Module({ imports: [TypeOrmModule.forFeature([Subject])] })
export class SubjectsModule {}
