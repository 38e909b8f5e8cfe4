import type { ModeDefinition } from '../../auth/mode-registry.js';

type SecurityScheme = ModeDefinition['securityScheme'];

const schemes = new Map<string, SecurityScheme>();

/** Declares a security scheme that is not a mode, beside the code that reads it. Routes use `@ApiSecurity(name)`. */
export function defineSecurityScheme(name: string, scheme: SecurityScheme): string {
  schemes.set(name, scheme);
  return name;
}

export const securitySchemes = (): ReadonlyMap<string, SecurityScheme> => schemes;
