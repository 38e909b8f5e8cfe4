import { Module } from '@nestjs/common';
import { ApiReference } from './api-reference.js';
import { OpenApiController } from './openapi.controller.js';
import { defineTag } from './tags.js';

defineTag('server', 'Health, documentation and problems');

@Module({ controllers: [OpenApiController], providers: [ApiReference] })
export class OpenApiModule {}
