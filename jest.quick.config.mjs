import everything from './jest.config.mjs';

/** `npm test`: without the tests that take long or need other programs. */
export default { ...everything, testPathIgnorePatterns: ['/node_modules/', '\\.long\\.spec\\.ts$'] };
