import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { OWN_KEYS_PATH } from '../own-api-keys/own-keys.js';
import { LeakReportsService } from './leak-reports.service.js';

const LeakReport = z
  .strictObject({
    key: z.string().meta({ description: 'The leaked key', examples: ['nk_live_0000000000'] }),
  })
  .meta({ id: 'LeakReport', description: 'A report of a leaked key' });
type LeakReport = z.infer<typeof LeakReport>;

const LeakReportAccepted = z
  .object({ message: z.string().describe('A text to show to a person') })
  .meta({ id: 'LeakReportAccepted', description: 'The answer is the same for every report' });
type LeakReportAccepted = z.infer<typeof LeakReportAccepted>;

@ApiTags('api-keys')
@Controller(`${OWN_KEYS_PATH}/leak-reports`)
export class LeakReportsController {
  constructor(private readonly reports: LeakReportsService) {}

  @Post()
  @HttpCode(202)
  @Public({ rateLimit: { policy: 'leak-reports', requests: 30, windowSeconds: 60 } })
  @ApiOperation({
    summary: 'Report a leaked key',
    description: 'A working key is revoked, and its owner gets a mail. The answer is always the same.',
  })
  @ApiResponse({ status: 202, description: 'The report was accepted', standardSchema: LeakReportAccepted })
  async report(@Body({ schema: LeakReport }) { key }: LeakReport): Promise<LeakReportAccepted> {
    await this.reports.report(key);
    return { message: 'If this is a working key, it is now revoked, and its owner gets a mail.' };
  }
}
