import { inApplication } from '../../commands/in-application.js';
import { createServiceAccount } from './create-service-account.command.js';

await inApplication(createServiceAccount);
