import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OneTimeToken } from '../../accounts/users/users.schemas.js';
import { Public } from '../../auth/authenticated.decorator.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { AnomalyReports } from './anomaly-reports.service.js';

const AnomalyReport = z
  .strictObject({ token: OneTimeToken })
  .meta({ id: 'AnomalyReport', description: 'The token of the link in the mail "Was this you?"' });

@ApiTags('sessions')
@Controller('v1/anomaly-reports')
export class AnomalyReportsController {
  constructor(private readonly reports: AnomalyReports) {}

  @Post()
  @Public({ rateLimit: { policy: 'anomaly-reports', requests: 300, windowSeconds: 600 } })
  @HttpCode(204)
  @MayAnswer('invalid-one-time-token')
  @ApiOperation({
    summary: 'End a sign-in that was not mine',
    description:
      'The sign-in ends on every node, and the account gets a link to set a new password. Known devices and networks are forgotten.',
  })
  @ApiResponse({ status: 204, description: 'The sign-in has ended' })
  async report(@Body({ schema: AnomalyReport }) { token }: z.infer<typeof AnomalyReport>): Promise<void> {
    await this.reports.report(token);
  }
}
