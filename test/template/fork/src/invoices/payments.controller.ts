import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { InvalidCredentialError } from '../auth/auth.errors.js';
import { Public } from '../auth/authenticated.decorator.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { equalSecrets, hmac } from '../platform/crypto/secret.js';
import { AcceptBody } from '../web/http/accept-body.decorator.js';
import { Bytes, jsonOf } from '../web/http/bodies.js';
import { MayAnswer } from '../web/openapi/may-answer.decorator.js';
import { Payment } from './invoices.schemas.js';
import { InvoicesService } from './invoices.service.js';

/** The webhook of a payment provider. The signature is over the bytes of the body. */
@ApiTags('invoices')
@Controller('v1/webhooks/payments')
export class PaymentsController {
  constructor(
    private readonly invoices: InvoicesService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(204)
  @Public()
  @AcceptBody({ as: 'bytes', types: ['application/json'] })
  @MayAnswer('invalid-credential')
  @ApiOperation({ summary: 'Report a payment' })
  @ApiResponse({ status: 204, description: 'The payment is recorded' })
  async receive(@Body({ schema: Bytes }) body: Buffer, @Headers('x-signature') signature = '') {
    const secret = this.config.PAYMENTS_SECRET;
    if (secret === undefined || !equalSecrets(signature, hmac(secret, body)))
      throw new InvalidCredentialError('wrong signature of a payment');
    await this.invoices.markPaid(jsonOf(body, Payment).invoice);
  }
}
