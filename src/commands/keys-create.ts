import { run } from '../api-keys/create-key.command.js';
import { inApplication } from './in-application.js';

await inApplication(run);
