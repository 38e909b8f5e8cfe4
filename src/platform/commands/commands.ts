import type { INestApplicationContext } from '@nestjs/common';
import type { Config } from '../config/config.js';
import type { Arguments, Usage } from './arguments.js';

/** What a command can use. */
export interface CommandContext {
  readonly config: Config;
  /** The application, which does not listen. It is made when it is first asked for, and brings the schema up to date. */
  application(): Promise<INestApplicationContext>;
}

/** How a command is called, and what it does. It throws a UsageError where it refuses. */
export interface Command extends Pick<Usage, 'options' | 'operand'> {
  run(context: CommandContext, given: Arguments): Promise<void>;
}

interface CommandDefinition {
  /** One sentence, for `--help`. */
  readonly about: string;
  /** Loaded when it is called. */
  load(): Promise<{ readonly command: Command }>;
}

const commands = new Map<string, CommandDefinition>();

/** Declares a command, in the room that it belongs to. package.json has a script of the same name. @throws if the name is taken */
export function defineCommand(name: string, definition: CommandDefinition): void {
  if (commands.has(name)) throw new Error(`the command "${name}" is declared twice`);
  commands.set(name, definition);
}

export const findCommand = (name: string): CommandDefinition | undefined => commands.get(name);

/** The names of all commands of the rooms that are loaded. */
export const commandNames = (): string[] => [...commands.keys()].toSorted((a, b) => a.localeCompare(b));
