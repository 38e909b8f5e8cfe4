import '../../platform/crypto/encryption-secrets.js';
import { integer } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

/** A sign-in with a higher score needs a second factor, or a code by mail. */
const settings = defineSettings({ ANOMALY_SCORE: integer(0, 1000).prefault('60') });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}
