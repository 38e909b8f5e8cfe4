import { port } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

const settings = defineSettings(
  { METRICS_PORT: port.optional() },
  {
    faults: (values) => {
      const { METRICS_PORT, PORT }: { METRICS_PORT?: number | undefined; PORT?: number } = values;
      // If both are 0, the system chooses two different ports.
      return METRICS_PORT === PORT && PORT !== 0
        ? ['METRICS_PORT: must not be the same as PORT, because metrics must not be public']
        : [];
    },
  },
);

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}
