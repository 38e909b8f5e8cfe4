import { inApplication } from '../commands/in-application.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';

await inApplication(async (app) => {
  const kid = await app.get(SigningKeyRotation).rotate();
  console.log(`The signing key ${kid} signs from now on.`);
  return 0;
});
