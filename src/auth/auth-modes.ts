/**
 * The ways to authenticate that this application has. Each mode's folder adds itself:
 * `declare module '../auth/auth-modes.js' { interface AuthModes { session: true } }`,
 * so that a route can only name a mode that is there.
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by declaration merging
export interface AuthModes {}

export type AuthMode = keyof AuthModes;
