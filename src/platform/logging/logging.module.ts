import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { createLogger, LOGGER } from './logger.js';
import { SecurityLog } from './security-log.js';

@Global()
@Module({
  providers: [
    { provide: LOGGER, useFactory: (config: Config) => createLogger(config), inject: [CONFIG] },
    SecurityLog,
  ],
  exports: [LOGGER, SecurityLog],
})
export class LoggingModule {}
