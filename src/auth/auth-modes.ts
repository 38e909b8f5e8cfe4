/**
 * The modes of this application. Each mode adds its name, so that a route can only name an existing mode:
 * `declare module '../auth/auth-modes.js' { interface AuthModes { session: true } }`
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by declaration merging
export interface AuthModes {}

export type AuthMode = keyof AuthModes;
