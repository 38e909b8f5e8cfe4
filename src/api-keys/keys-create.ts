import { inApplication } from '../commands/in-application.js';
import { run } from './create-key.command.js';

await inApplication(run);
