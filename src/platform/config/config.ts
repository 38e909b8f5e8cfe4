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
    METRICS_PORT: port.optional(),
    DATA_DIRECTORY: z.string().min(1).default('.data'),
    // No path: every URL of this server begins at the root.
    ISSUER: (production) => origin(production).optional(),
    PLAYGROUND: z.enum(['on', 'off']).optional(),
    DRAIN_TIME: (production) => optionalDuration.prefault(production ? '5s' : '0'),
  },
  { requiredInProduction: ['ISSUER'] },
);

/** The settings of all rooms, each declared in its room and merged into this interface. */
export interface Config extends Omit<SettingsOf<typeof settings>, 'ISSUER'> {
  readonly production: boolean;
  readonly ISSUER: string;
}

export const CONFIG = Symbol('config');

/** The environment does not describe a server that may start. Names variables, never their values. */
export class ConfigError extends StartError {
  /** sysexits.h EX_CONFIG */
  override readonly exitCode = 78;
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((f) => `  ${f}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Validates the variables that the loaded rooms declare. All durations are in milliseconds.
 * @throws ConfigError naming every bad variable at once
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  // An empty variable is how compose files and CI systems spell "not set".
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

/** The settings that were not given, and that their rooms make and keep in the data directory. */
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

/** What is usable and not advised. */
export const configWarnings = (config: Config): string[] =>
  allSettings().flatMap(({ rules }) => rules.warnings?.(config as never) ?? []);

/** The configuration for PORT=0, once the port is known. An issuer that was not given names that port too. */
export function withPort<C extends Config>(config: C, port: number): C {
  const preset = `http://localhost:${config.PORT}`;
  return {
    ...config,
    PORT: port,
    ISSUER: config.ISSUER === preset ? `http://localhost:${port}` : config.ISSUER,
  };
}
