import { Controller, Get } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { Readiness } from './readiness.js';

const Health = z
  .object({ status: z.literal('ok').describe('All other answers are problems') })
  .meta({ id: 'Health', description: 'The server is well' });
type Health = z.infer<typeof Health>;

@ApiTags('server')
@Controller('health')
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  @Get('live')
  @Public()
  @ApiOperation({ summary: 'Whether the process answers' })
  @ApiResponse({ status: 200, description: 'It does', standardSchema: Health })
  live(): Health {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public()
  @ApiOperation({
    summary:
      'Whether the server can do its work: without a database that it can write to it refuses requests',
  })
  @ApiResponse({ status: 200, description: 'It can', standardSchema: Health })
  async ready(): Promise<Health> {
    this.readiness.check();
    // Locks and writes nothing, but a server that takes no writes refuses it, and the pool drops the connection.
    await this.dataSource.query('SELECT FROM revocations WHERE false FOR UPDATE');
    return { status: 'ok' };
  }
}
