import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { OWN_KEYS_PATH } from '../own-api-keys/own-keys.js';
import { LeakReport, LeakReportAccepted } from './leak-reports.schemas.js';
import { LeakReportsService } from './leak-reports.service.js';

@ApiTags('api-keys')
@Controller(`${OWN_KEYS_PATH}/leak-reports`)
export class LeakReportsController {
  constructor(private readonly reports: LeakReportsService) {}

  @Post()
  @HttpCode(202)
  @Public({ rateLimit: { policy: 'leak-reports', requests: 30, windowSeconds: 60 } })
  @ApiOperation({
    summary: 'Report a key that was found where it should not be',
    description:
      'If it is a key that works, it is revoked, and its owner gets a mail. The answer is always the same.',
  })
  @ApiResponse({ status: 202, description: 'Thank you', standardSchema: LeakReportAccepted })
  async report(@Body({ schema: LeakReport }) { key }: LeakReport): Promise<LeakReportAccepted> {
    await this.reports.report(key);
    return { message: 'If this is a key that works, it is revoked, and its owner is told.' };
  }
}
