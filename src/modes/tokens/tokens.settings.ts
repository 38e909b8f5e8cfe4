import { duration, lifetime } from '../../platform/config/formats.js';
import { contradictions, longerThan } from '../../platform/config/lifetimes.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

const settings = defineSettings(
  {
    ACCESS_TOKEN_TTL: lifetime('10m').refine((ms) => ms <= 15 * 60_000, 'must be at most 15m'),
    REFRESH_TOKEN_IDLE_TTL: lifetime('14d'),
    REFRESH_TOKEN_TTL: lifetime('30d'),
    REFRESH_REUSE_GRACE: duration('10s'),
  },
  {
    faults: (values) =>
      contradictions(values, [
        ['REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL'],
        // Otherwise an access token would outlive its sign-in.
        ['ACCESS_TOKEN_TTL', 'REFRESH_TOKEN_IDLE_TTL'],
        // Otherwise the replay of a refresh token would not be noticed.
        ['REFRESH_REUSE_GRACE', 'REFRESH_TOKEN_IDLE_TTL'],
      ]),
    warnings: ({ REFRESH_TOKEN_TTL }) => longerThan(30, 'REFRESH_TOKEN_TTL', REFRESH_TOKEN_TTL),
  },
);

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}
