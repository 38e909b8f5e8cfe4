import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  Body,
  Controller,
  ForbiddenException,
  Headers,
  HttpCode,
  Module,
  Patch,
  Post,
  Put,
} from '@nestjs/common';
import { z } from 'zod';
import { Authenticated, Public } from '../../../src/auth/authenticated.decorator.js';
import { AcceptBody, FORM_TYPE } from '../../../src/web/http/accept-body.decorator.js';
import { Bytes, formOf, jsonOf } from '../../../src/web/http/bodies.js';
import type { Fixture } from '../../support/in-process.js';

const SECRET = 'the secret of a webhook';
const LIMIT = 300_000;
const sign = (body: string) => createHmac('sha256', SECRET).update(body).digest('hex');

const Delivery = z.strictObject({ id: z.int() }).meta({ id: 'Delivery' });
const Contact = z
  .strictObject({ name: z.string().min(1), age: z.coerce.number().int() })
  .meta({ id: 'Contact' });

@Controller('v1/bodies')
class BodiesController {
  @Post('webhooks')
  @HttpCode(200)
  @Public()
  @AcceptBody({ as: 'bytes', types: ['application/json'] })
  webhook(@Body({ schema: Bytes }) body: Buffer, @Headers('x-signature') signature = '') {
    const expected = Buffer.from(sign(body.toString()));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new ForbiddenException();
    return jsonOf(body, Delivery);
  }

  @Post('contact')
  @HttpCode(200)
  @Public()
  @AcceptBody({ as: 'form', types: [FORM_TYPE] })
  contact(@Body({ schema: formOf(Contact) }) body: z.infer<typeof Contact>) {
    return body;
  }

  @Patch('merged')
  @Public()
  @AcceptBody({ as: 'json', types: ['application/merge-patch+json', 'application/json'] })
  merge(@Body({ schema: Delivery }) body: z.infer<typeof Delivery>) {
    return body;
  }

  @Put('avatar')
  @Authenticated({ modes: 'any' })
  @AcceptBody({ as: 'bytes', types: ['image/png', 'image/jpeg'], limit: LIMIT })
  avatar(@Body({ schema: Bytes }) image: Buffer) {
    return { bytes: image.length };
  }
}

@Module({ controllers: [BodiesController] })
class BodiesModule {}

export const bodies: Fixture = { modules: [BodiesModule] };
