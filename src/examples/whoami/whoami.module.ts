import { Module } from '@nestjs/common';
import { WhoamiController } from './whoami.controller.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('whoami', 'What the server takes a credential for');

@Module({ controllers: [WhoamiController] })
export class WhoamiModule {}
