import { Readable } from 'node:stream';
import { Controller, Get, Module, StreamableFile } from '@nestjs/common';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import type { Fixture } from '../../support/in-process.js';

@Controller('v1/broken')
class BrokenController {
  @Get()
  @Public()
  fail(): never {
    throw new Error('something nobody should read');
  }

  @Get('stream')
  @Public()
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['a stream']));
  }

  @Get('page')
  @Public()
  page(): StreamableFile {
    return new StreamableFile(Readable.from(['a page']), { type: 'text/html' });
  }
}

@Module({ controllers: [BrokenController] })
class BrokenModule {}

export const broken: Fixture = { modules: [BrokenModule] };
