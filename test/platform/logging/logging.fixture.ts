import { Body, Controller, Inject, Injectable, Module, Post } from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { LOGGER } from '../../../src/platform/logging/logger.js';
import type { Fixture } from '../../support/in-process.js';

/** Writes to the log as any code can. */
@Injectable()
export class Scribe {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  warn(facts: object, message: string): void {
    this.logger.warn(facts, message);
  }
}

/** The secret that is at hand when something fails. */
@Injectable()
export class SecretAtHand {
  #secret = '';

  get(): string {
    return this.#secret;
  }

  set(secret: string): void {
    this.#secret = secret;
  }
}

@Controller('broken')
class BrokenController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secret: SecretAtHand,
  ) {}

  @Post('query')
  @Public()
  query(@Body({ schema: z.unknown() }) _body: unknown) {
    return this.dataSource.query('INSERT INTO nowhere VALUES ($1)', [this.secret.get()]);
  }

  @Post('code')
  @Public()
  code(@Body({ schema: z.unknown() }) _body: unknown): never {
    throw Object.assign(new Error('unforeseen'), { secret: this.secret.get() });
  }
}

@Module({ controllers: [BrokenController], providers: [Scribe, SecretAtHand] })
class LoggingTrialModule {}

export const logging: Fixture = { modules: [LoggingTrialModule] };
