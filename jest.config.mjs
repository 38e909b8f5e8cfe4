export default {
  testEnvironment: './test/support/environment.mjs',
  // Not the tests in `test/template/fork`: a copy of the project runs them.
  testRegex: '^(?!.*/template/fork/).*/test/.*\\.spec\\.ts$',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  maxWorkers: 3, // on two cores: many tests wait for processes
  workerIdleMemoryLimit: '1GB',
  testTimeout: 300_000, // only ends what hangs: how long a test may take depends on the machine
  setupFilesAfterEnv: ['./test/support/second-try.mjs'],
  globalSetup: './test/support/global-setup.mjs',
  globalTeardown: './test/support/global-teardown.mjs',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};
