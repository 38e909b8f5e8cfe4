import type { z } from 'zod';

/** How an environment variable is read. As a function where its format or default depends on `production`. */
type Setting = z.ZodType | ((production: boolean) => z.ZodType);

type Settings = Readonly<Record<string, Setting>>;

/** The values of settings, as `Config` has them. */
export type SettingsOf<S extends Settings> = {
  readonly [Name in keyof S]: z.output<SchemaOf<S[Name]>>;
};

type SchemaOf<T extends Setting> = T extends (production: boolean) => z.ZodType
  ? ReturnType<T>
  : Extract<T, z.ZodType>;

interface SettingRules<S extends Settings> {
  /** Production does not start without them, since guessing them would be unsafe. */
  readonly requiredInProduction?: readonly (keyof S & string)[];
  /** Made and kept on the first start outside production, if it is not given. */
  readonly madeInDevelopment?: {
    readonly [Name in keyof S]?: (dataDirectory: string) => Promise<SettingsOf<S>[Name]>;
  };
  /** What values contradict each other. Each fault begins with the name of its variable. */
  readonly faults?: (values: SettingsOf<S>) => string[];
  /** What is usable, and not advised. */
  readonly warnings?: (values: SettingsOf<S>) => string[];
}

interface Declaration {
  readonly settings: Settings;
  readonly rules: SettingRules<Settings>;
}

const declarations: Declaration[] = [];

/** Declares environment variables, in the room that uses them. @throws if a name is taken */
export function defineSettings<S extends Settings>(settings: S, rules: SettingRules<S> = {}): S {
  const taken = Object.keys(settings).find((name) => settingNames().includes(name));
  if (taken) throw new Error(`the setting "${taken}" is declared twice`);
  declarations.push({ settings, rules: rules as unknown as SettingRules<Settings> });
  return settings;
}

/** What all rooms that are loaded have declared. */
export const allSettings = (): readonly Declaration[] => declarations;

/** Every environment variable that the server reads. */
export const settingNames = (): string[] => declarations.flatMap(({ settings }) => Object.keys(settings));
