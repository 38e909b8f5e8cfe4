import { Controller, Get, Module } from '@nestjs/common';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import type { Fixture } from '../../support/in-process.js';

@Controller('v1/broken')
class BrokenController {
  @Get()
  @Public()
  fail(): never {
    throw new Error('something nobody should read');
  }
}

@Module({ controllers: [BrokenController] })
class BrokenModule {}

export const broken: Fixture = { modules: [BrokenModule] };
