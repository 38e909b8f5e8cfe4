import { inApplication } from '../../commands/in-application.js';
import { revokeKey } from './revoke-key.command.js';

await inApplication(revokeKey);
