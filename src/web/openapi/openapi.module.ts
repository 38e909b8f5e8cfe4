import { Module } from '@nestjs/common';
import { ApiReference } from './api-reference.js';
import { OpenApiController } from './openapi.controller.js';
import { PagesModule } from '../pages/pages.module.js';
import { defineTag } from './tags.js';

defineTag('server', 'Health, documentation and problems');

@Module({ imports: [PagesModule], controllers: [OpenApiController], providers: [ApiReference] })
export class OpenApiModule {}
