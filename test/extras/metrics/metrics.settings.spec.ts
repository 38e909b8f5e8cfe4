import { describe, expect, it } from '@jest/globals';
import '../../../src/extras/metrics/metrics.settings.js';
import { ConfigError, readConfig } from '../../../src/platform/config/config.js';

function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
}

describe('METRICS_PORT', () => {
  it.each(['ninety', '65536', '-1', '0x10', '9464 '])('must be a port, and not %j', (METRICS_PORT) => {
    expect(faultsOf({ METRICS_PORT })).toEqual([expect.stringMatching(/^METRICS_PORT: /)]);
  });

  it.each([{ PORT: '8080', METRICS_PORT: '8080' }, { METRICS_PORT: '3000' }])(
    'must not be the same as PORT: %j',
    (environment) => {
      expect(faultsOf(environment)).toEqual([
        'METRICS_PORT: must not be the same as PORT, because metrics must not be public',
      ]);
    },
  );

  it('can be 0, also if PORT is 0', () => {
    expect(readConfig({ PORT: '0', METRICS_PORT: '0' })).toMatchObject({ PORT: 0, METRICS_PORT: 0 });
  });

  it('is not set by default', () => {
    expect(readConfig({}).METRICS_PORT).toBeUndefined();
    expect(readConfig({ METRICS_PORT: '' }).METRICS_PORT).toBeUndefined();
  });
});
