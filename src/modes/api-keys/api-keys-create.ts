import { inApplication } from '../../commands/in-application.js';
import { createKey } from './create-key.command.js';

await inApplication(createKey);
