import type { Config } from '../platform/config/config.js';
import { list } from '../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';

const settings = defineSettings({ AUDIENCES: list });

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/** The audiences that tokens can be issued for (RFC 8707). */
export const audiencesOf = ({ AUDIENCES, ISSUER }: Config): readonly string[] =>
  AUDIENCES.length > 0 ? AUDIENCES : [ISSUER];

/** The audience of this server: the first one. */
export const ownAudience = ({ AUDIENCES, ISSUER }: Config): string => AUDIENCES[0] ?? ISSUER;
