import { Module } from '@nestjs/common';
import { WhoamiController } from './whoami.controller.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('whoami', 'Shows the credential of a request');

@Module({ controllers: [WhoamiController] })
export class WhoamiModule {}
