import { parseArgs } from 'node:util';
import { SigningKeyTooYoungError } from './signing-keys.errors.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { inApplication } from '../commands/in-application.js';

await inApplication(async (app, argv) => {
  const { values } = parseArgs({ args: argv, options: { force: { type: 'boolean', default: false } } });
  try {
    const kid = await app.get(SigningKeyRotation).rotate({ force: values.force, by: 'command' });
    console.log(`The signing key ${kid} signs from now on.`);
    return 0;
  } catch (error) {
    if (!(error instanceof SigningKeyTooYoungError)) throw error;
    console.error(`${error.detail} With --force it does now: services that keep the published keys refuse its
tokens for up to five minutes.`);
    return 1;
  }
});
