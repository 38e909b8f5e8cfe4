import '../../platform/crypto/encryption-secrets.js';
import { lifetime } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

const settings = defineSettings({ AUDIT_RETENTION: lifetime('365d') });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}
