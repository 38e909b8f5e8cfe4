import { Module } from '@nestjs/common';
import { ApiReference } from './api-reference.js';
import { OpenApiController } from './openapi.controller.js';

@Module({ controllers: [OpenApiController], providers: [ApiReference] })
export class OpenApiModule {}
