import { z } from 'zod';
import { optionalDuration, origin, port } from './formats.js';
import { allSettings, defineSettings, type SettingsOf } from './settings.js';
import { StartError } from './start-error.js';

const settings = defineSettings(
  {
    NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
    HOST: (production) =>
      z
        .string()
        .min(1)
        .default(production ? '0.0.0.0' : 'localhost'),
    PORT: port.default(3000),
    DATA_DIRECTORY: z.string().min(1).default('.data'),
    // An origin without a path, because all URLs of this server start at the root.
    ISSUER: (production) => origin(production).optional(),
    DRAIN_TIME: (production) => optionalDuration.prefault(production ? '5s' : '0'),
  },
  { requiredInProduction: ['ISSUER'] },
);

/** The settings of all rooms. Each room declares its own and merges them into this interface. */
export interface Config extends Omit<SettingsOf<typeof settings>, 'ISSUER'> {
  readonly production: boolean;
  readonly ISSUER: string;
}

export const CONFIG = Symbol('config');

/** Invalid settings. The message names variables, never their values. */
export class ConfigError extends StartError {
  /** sysexits.h EX_CONFIG */
  override readonly exitCode = 78;
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is invalid:\n${faults.map((f) => `  ${f}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads and validates the variables that the loaded rooms declare. Durations are in milliseconds.
 * @throws ConfigError with all faults
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  // Compose files and CI systems use an empty variable for "not set".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const production = given['NODE_ENV'] === 'production';
  const shape = allSettings().flatMap((declaration) => Object.entries(declaration.settings));
  const parsed = z
    .object(
      Object.fromEntries(
        shape.map(([name, setting]) => [name, typeof setting === 'function' ? setting(production) : setting]),
      ),
    )
    .safeParse(given);
  const faults = production ? missing(given) : [];
  if (parsed.success) faults.push(...allSettings().flatMap(({ rules }) => rules.faults?.(parsed.data) ?? []));
  else
    faults.unshift(
      ...parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message.replace(/, received .*/, '')}`),
    );
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  const values = parsed.data as unknown as Config;
  return { ...values, production, ISSUER: values.ISSUER ?? `http://localhost:${values.PORT}` };
}

const missing = (given: NodeJS.ProcessEnv): string[] =>
  allSettings()
    .flatMap(({ rules }) => rules.requiredInProduction ?? [])
    .filter((name) => !/[^\s,]/.test(given[name] ?? ''))
    .map((name) => `${name}: is required in production`);

/** Creates missing settings that rooms can create in the data directory. */
export async function makeSettings(config: Config, directory: string): Promise<Partial<Config>> {
  const made = await Promise.all(
    allSettings()
      .flatMap(({ rules }) => Object.entries(rules.madeInDevelopment ?? {}))
      .filter(([name]) => isEmpty(config[name as keyof Config]))
      .map(async ([name, make]) => [name, await make!(directory)] as const),
  );
  return Object.fromEntries(made);
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.length === 0);

/** Warnings about valid but unsafe settings. */
export const configWarnings = (config: Config): string[] =>
  allSettings().flatMap(({ rules }) => rules.warnings?.(config as never) ?? []);

/** The configuration for PORT=0 with the chosen port. The default issuer gets that port too. */
export function withPort<C extends Config>(config: C, port: number): C {
  const preset = `http://localhost:${config.PORT}`;
  return {
    ...config,
    PORT: port,
    ISSUER: config.ISSUER === preset ? `http://localhost:${port}` : config.ISSUER,
  };
}
