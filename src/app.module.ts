import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AuthModule } from './auth/auth.module.js';
import { ClockModule } from './platform/clock/clock.js';
import { CONFIG, type Config } from './platform/config/config.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { InstrumentsModule } from './platform/instruments/instruments.js';
import { LoggingModule } from './platform/logging/logging.module.js';
import { HealthModule } from './web/health/health.module.js';
import { ProblemsModule } from './web/http/problems.module.js';
import { OpenApiModule } from './web/openapi/openapi.module.js';
import * as rooms from './rooms.js';

/** The modules of every application. Rooms import what else they need. */
@Global()
@Module({
  imports: [
    ClockModule,
    InstrumentsModule,
    LoggingModule,
    DatabaseModule,
    // Its guard runs first: a request is authenticated before its input is checked.
    AuthModule,
    ProblemsModule,
    HealthModule,
    OpenApiModule,
  ],
  exports: [CONFIG],
})
export class AppModule {
  /** The application with all rooms and additional `modules`. */
  static with(config: Config, modules: NonNullable<DynamicModule['imports']> = []): DynamicModule {
    return {
      module: AppModule,
      imports: [...Object.values(rooms), ...modules],
      providers: [{ provide: CONFIG, useValue: config }],
    };
  }
}
