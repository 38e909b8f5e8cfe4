import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type EventRecorder, type SecurityEvent, SecurityLog } from '../../platform/logging/security-log.js';
import { Alarms } from './alarms.service.js';
import { currentSource } from './current-source.js';
import { SignInHistory } from './sign-in-history.js';
import { UsedElsewhere } from './used-elsewhere.js';

/** Learns of sign-ins, refreshes and failures by their security events. */
@Injectable()
export class AnomalyRecorder implements EventRecorder, OnModuleInit {
  constructor(
    private readonly log: SecurityLog,
    private readonly history: SignInHistory,
    private readonly alarms: Alarms,
    private readonly elsewhere: UsedElsewhere,
  ) {}

  onModuleInit(): void {
    this.log.register(this);
  }

  async record(manager: EntityManager, { type, facts }: SecurityEvent): Promise<void> {
    const { userId, credentialId: signInId } = facts;
    if (!userId || !signInId) return;
    if (type === 'token.refreshed') this.elsewhere.note(signInId);
    if (type !== 'sign-in.succeeded') return;
    const source = currentSource();
    const newDevice = facts['newDevice'] === true;
    const assessment = await this.history.assess({ userId, signInId, newDevice, ...source }, manager);
    await this.history.forgetFailures(manager, userId);
    if (assessment.score > 0)
      await this.alarms.raise(manager, { userId, signInId, occasion: 'sign-in', ...source }, assessment);
  }

  keep({ type, facts: { userId } }: SecurityEvent): void {
    if (type === 'sign-in.refused' && userId) this.history.addFailure(userId);
  }
}
