import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { MayAnswer } from '../openapi/may-answer.decorator.js';
import { Readiness } from './readiness.js';

const Health = z
  .object({ status: z.literal('ok').describe('Any other state is a problem answer') })
  .meta({ id: 'Health', description: 'The server works' });
type Health = z.infer<typeof Health>;

const Ready = Health.extend({
  degraded: z
    .array(
      z.object({
        part: z.string().describe('The name of the part'),
        detail: z.string().describe('What the node does instead'),
      }),
    )
    .optional()
    .describe(
      'Parts that fail, but without which the node still answers correctly. Absent if there are none',
    ),
}).meta({ id: 'Ready', description: 'The node can answer requests' });
type Ready = z.infer<typeof Ready>;

@ApiTags('server')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Public()
  @ApiOperation({ summary: 'Liveness: the process answers' })
  @ApiResponse({ status: 200, description: 'Alive', standardSchema: Health })
  live(): Health {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public()
  @MayAnswer('not-ready', 'shutting-down')
  @ApiOperation({
    summary: 'Readiness: the node can answer requests; otherwise, `failing` names each part that fails',
  })
  @ApiResponse({ status: 200, description: 'Ready', standardSchema: Ready })
  async ready(): Promise<Ready> {
    const degraded = await this.readiness.check();
    return { status: 'ok', ...(degraded.length > 0 && { degraded }) };
  }
}
