import type { z } from 'zod';

/** The format of an environment variable. A function if the format or default depends on `production`. */
type Setting = z.ZodType | ((production: boolean) => z.ZodType);

type Settings = Readonly<Record<string, Setting>>;

/** The parsed values of settings. */
export type SettingsOf<S extends Settings> = {
  readonly [Name in keyof S]: z.output<SchemaOf<S[Name]>>;
};

type SchemaOf<T extends Setting> = T extends (production: boolean) => z.ZodType
  ? ReturnType<T>
  : Extract<T, z.ZodType>;

interface SettingRules<S extends Settings> {
  /** Production does not start without these, because a default would be unsafe. */
  readonly requiredInProduction?: readonly (keyof S & string)[];
  /** Creates a missing setting outside production, and keeps it in the data directory. */
  readonly madeInDevelopment?: {
    readonly [Name in keyof S]?: (dataDirectory: string) => Promise<SettingsOf<S>[Name]>;
  };
  /** Contradictions between values. Each fault starts with the name of its variable. */
  readonly faults?: (values: SettingsOf<S>) => string[];
  /** Warnings about valid but unsafe values. */
  readonly warnings?: (values: SettingsOf<S>) => string[];
}

interface Declaration {
  readonly settings: Settings;
  readonly rules: SettingRules<Settings>;
}

const declarations: Declaration[] = [];

/** Declares environment variables, in the room that uses them. @throws if a name is already declared */
export function defineSettings<S extends Settings>(settings: S, rules: SettingRules<S> = {}): S {
  const taken = Object.keys(settings).find((name) => settingNames().includes(name));
  if (taken) throw new Error(`the setting "${taken}" is declared twice`);
  declarations.push({ settings, rules: rules as unknown as SettingRules<Settings> });
  return settings;
}

/** The declarations of all loaded rooms. */
export const allSettings = (): readonly Declaration[] => declarations;

/** Every environment variable that the server reads. */
export const settingNames = (): string[] => declarations.flatMap(({ settings }) => Object.keys(settings));
