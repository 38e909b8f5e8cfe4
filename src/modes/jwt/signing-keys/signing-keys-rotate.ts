import { inApplication } from '../../../commands/in-application.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';

await inApplication({
  script: 'signing-keys:rotate',
  purpose: 'Makes the next signing key the active one, on all nodes.',
  async run(app) {
    const kid = await app.get(SigningKeyRotation).rotate();
    console.log(`The signing key ${kid} is active now.`);
  },
});
