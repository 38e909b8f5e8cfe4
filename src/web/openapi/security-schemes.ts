import type { ModeDefinition } from '../../auth/mode-registry.js';

type SecurityScheme = ModeDefinition['securityScheme'];

const schemes = new Map<string, SecurityScheme>();

/** Declares a way to authenticate that is no mode, beside the code that reads it. Routes name it with `@ApiSecurity()`. */
export function defineSecurityScheme(name: string, scheme: SecurityScheme): string {
  schemes.set(name, scheme);
  return name;
}

export const securitySchemes = (): ReadonlyMap<string, SecurityScheme> => schemes;
