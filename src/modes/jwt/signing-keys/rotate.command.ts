import type { Command } from '../../../platform/commands/commands.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';

export const command: Command = {
  async run({ application }) {
    const app = await application();
    const kid = await app.get(SigningKeyRotation).rotate();
    console.log(`The signing key ${kid} is active now.`);
  },
};
