// A static list: a glob would import the files dynamically, which ends Jest's workers without a word.
export { Users1795300000001 } from './1795300000001-users.js';
export { SignIns1795300000002 } from './1795300000002-sign-ins.js';
export { Sessions1795300000003 } from './1795300000003-sessions.js';
export { Tokens1795300000004 } from './1795300000004-tokens.js';
export { ApiKeys1795300000005 } from './1795300000005-api-keys.js';
export { OrdersAndEvents1795300000006 } from './1795300000006-orders-and-events.js';
export { Revocations1795300000007 } from './1795300000007-revocations.js';
export { OpaqueTokens1795300000008 } from './1795300000008-opaque-tokens.js';
export { Housekeeping1795300000009 } from './1795300000009-housekeeping.js';
export { Subjects1795300000010 } from './1795300000010-subjects.js';
export { KeyBounds1795300000011 } from './1795300000011-key-bounds.js';
export { ApiKeyUsage1795300000012 } from './1795300000012-api-key-usage.js';
export { KeyAlerts1795300000013 } from './1795300000013-key-alerts.js';
export { QueuedMails1795300000014 } from './1795300000014-queued-mails.js';
export { Registrations1795300000017 } from './1795300000017-registrations.js';
