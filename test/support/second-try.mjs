import { jest } from '@jest/globals';

// On a busy machine, a test of several processes may fail once. Jest prints the failure of the first try.
if (process.env.SECOND_TRY) jest.retryTimes(1, { logErrorsBeforeRetry: true });
