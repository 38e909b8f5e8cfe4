import type { AuthenticatedOptions } from '../../auth/authenticated.decorator.js';

/** A change of factors can lock the owner out. It requires a recent sign-in, with a second factor if there is one. */
export const MANAGES_FACTORS = {
  modes: 'person',
  scopes: ['account:security'],
  recentSignIn: true,
  secondFactor: 'where-enrolled',
  live: true,
} as const satisfies AuthenticatedOptions;
