import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { defineCounter, Instruments } from '../instruments/instruments.js';
import { createLogger, LOGGER, lostLines } from './logger.js';
import { SecurityLog } from './security-log.js';

const LOST = defineCounter(
  'log_lost_lines_total',
  'Lines of the log that were dropped, because standard output was full',
);

@Global()
@Module({
  providers: [
    { provide: LOGGER, useFactory: (config: Config) => createLogger(config), inject: [CONFIG] },
    SecurityLog,
  ],
  exports: [LOGGER, SecurityLog],
})
export class LoggingModule {
  constructor(instruments: Instruments) {
    instruments.add(LOST, lostLines);
  }
}
