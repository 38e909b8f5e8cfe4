import { Module } from '@nestjs/common';
import { Audit1795300000070 } from '../../../migrations/1795300000070-audit.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { UsersModule } from '../../accounts/users/users.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { defineCommand } from '../../platform/commands/commands.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { staysRestored } from '../../platform/restored/on-restored.js';
import { defineTag } from '../../web/openapi/tags.js';
import { AdminAuditEventsController, AuditEventsController } from './audit-events.controller.js';
import { AuditEventsService } from './audit-events.service.js';
import { AuditHousekeeping } from './audit.housekeeping.js';
import { AuditRecorder } from './audit-recorder.js';
import { AuditSealer } from './audit-sealer.js';

declare module '../../auth/scopes.js' {
  interface Scopes {
    'admin:audit': true;
  }
}

defineScopes({ 'admin:audit': { about: 'Read the audit log', role: 'admin' } });

defineCommand('audit:verify', {
  about: 'Names the first audit event that was changed, removed or reordered.',
  load: () => import('./verify-audit.command.js'),
});

defineTag('audit', 'Security events: of my own account, and of all accounts for administrators');

defineMigrations(Audit1795300000070);

staysRestored('audit_seals', 'the chain continues from the last seal of the backup');

definePersonalData(
  'auditEvents',
  `SELECT e.id, e.at, e.type, e.result, e.reason, e.mode, e.credential_id AS "credentialId", e.details, o.ip,
     o.user_agent AS "userAgent"
   FROM audit_subjects s JOIN audit_events e ON e.subject_id = s.id
     LEFT JOIN audit_origins o ON o.event_id = e.id AND o.subject_id = s.id
   WHERE s.account_id = $1 ORDER BY e.id`,
);

@Module({
  imports: [UsersModule, HousekeepingModule],
  controllers: [AuditEventsController, AdminAuditEventsController],
  providers: [AuditEventsService, AuditHousekeeping, AuditRecorder, AuditSealer],
})
export class AuditModule {}
