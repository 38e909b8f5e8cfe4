import { Module } from '@nestjs/common';
import { Authentications } from './authentications.js';
import { MetricsServer } from './metrics.server.js';
import { RequestDurations } from './request-durations.js';

@Module({ providers: [Authentications, MetricsServer, RequestDurations] })
export class MetricsModule {}
