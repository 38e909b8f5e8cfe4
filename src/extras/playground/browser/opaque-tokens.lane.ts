import { signInLane } from './token.lane.js';

export const opaqueLane = signInLane('opaque', 'opaque', (token) => [
  ['Prefix', token.slice(0, token.indexOf('_') + 1)],
  ['Random part', `${token.length - token.indexOf('_') - 1} characters that mean nothing`],
]);
