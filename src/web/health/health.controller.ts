import { Controller, Get } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { Readiness } from './readiness.js';

const Health = z
  .object({ status: z.literal('ok').describe('Any other state is a problem answer') })
  .meta({ id: 'Health', description: 'The server works' });
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
  @ApiOperation({ summary: 'Liveness: the process answers' })
  @ApiResponse({ status: 200, description: 'Alive', standardSchema: Health })
  live(): Health {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public()
  @ApiOperation({
    summary: 'Readiness: the server can write to its database and is not shutting down',
  })
  @ApiResponse({ status: 200, description: 'Ready', standardSchema: Health })
  async ready(): Promise<Health> {
    this.readiness.check();
    // Locks no row, but a read-only server refuses it, and the pool then drops the connection.
    await this.dataSource.query('SELECT FROM revocations WHERE false FOR UPDATE');
    return { status: 'ok' };
  }
}
