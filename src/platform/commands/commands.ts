import type { INestApplicationContext } from '@nestjs/common';
import type { Config } from '../config/config.js';
import type { Arguments, Usage } from './arguments.js';

/** The context of a command. */
export interface CommandContext {
  readonly config: Config;
  /** The application, which does not listen. The first call creates it and runs the migrations. */
  application(): Promise<INestApplicationContext>;
}

/** The usage of a command and its work. `run` throws a UsageError to refuse. */
export interface Command extends Pick<Usage, 'options' | 'operand' | 'input'> {
  /** The command needs only the configuration. No database is started, and there is no application. */
  readonly offline?: true;
  run(context: CommandContext, given: Arguments): Promise<void>;
}

interface CommandDefinition {
  /** One sentence for `--help`. */
  readonly about: string;
  load(): Promise<{ readonly command: Command }>;
}

const commands = new Map<string, CommandDefinition>();

/** Declares a command of a room. package.json has a script of the same name. @throws if the name is already declared */
export function defineCommand(name: string, definition: CommandDefinition): void {
  if (commands.has(name)) throw new Error(`the command "${name}" is declared twice`);
  commands.set(name, definition);
}

export const findCommand = (name: string): CommandDefinition | undefined => commands.get(name);

/** The names of all declared commands. */
export const commandNames = (): string[] => [...commands.keys()].toSorted((a, b) => a.localeCompare(b));
