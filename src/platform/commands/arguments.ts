import { parseArgs } from 'node:util';
import { StartError } from '../config/start-error.js';

export interface Argument {
  /** An example value. */
  readonly example: string;
  readonly meaning: string;
  readonly optional?: boolean;
}

/** The usage of a command. */
export interface Usage {
  /** The script in package.json. */
  readonly script: string;
  readonly purpose: string;
  /** Options by name, without dashes. Each has a value. */
  readonly options?: Readonly<Record<string, Argument>>;
  /** The only positional argument. */
  readonly operand?: Argument;
  /** What the command reads from standard input, such as a secret. */
  readonly input?: Argument;
}

/** The values of the options by name, and of the operand as `operand`. */
export type Arguments = Readonly<Record<string, string | undefined>>;

/** The arguments of a command are invalid. */
export class UsageError extends StartError {
  override readonly name = 'UsageError';
}

export function asksForHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** The message has the reason, so that nobody tries another argument with the same secret. */
const ON_STANDARD_INPUT =
  'must be an option. The command reads standard input, because every process of this machine can read arguments.';

/**
 * Parses the arguments. Messages never repeat a value, because it can be a misplaced password.
 * @throws UsageError with all faults
 */
export function readArguments(usage: Usage, argv: readonly string[]): Arguments {
  const options = Object.keys(usage.options ?? {});
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(options.map((name) => [name, { type: 'string' as const }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values: Record<string, string> = {};
  const faults: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    const name = token.kind === 'option' ? token.name : 'operand';
    const written = token.kind === 'option' ? token.rawName : usage.operand?.example;
    if (token.kind === 'positional' && !usage.operand)
      faults.push(`argument ${token.index + 1}: ${usage.input ? ON_STANDARD_INPUT : 'must be an option'}`);
    else if (token.kind === 'option' && !options.includes(name)) faults.push(`${written}: unknown option`);
    else if (values[name] !== undefined) faults.push(`${written}: must be given once`);
    else if (!token.value || (token.kind === 'option' && !token.inlineValue && token.value.startsWith('-')))
      faults.push(`${written}: must have a value`);
    else values[name] = token.value;
  }
  if (faults.length === 0) faults.push(...missing(usage, values));
  if (faults.length > 0) throw new UsageError([...faults, callOf(usage)].join('\n'));
  return values;
}

function missing({ options = {}, operand }: Usage, values: Arguments): string[] {
  const faults = Object.entries(options)
    .filter(([name, { optional }]) => !optional && values[name] === undefined)
    .map(([name]) => `--${name}: is required`);
  if (operand && !operand.optional && values['operand'] === undefined)
    faults.push(`${operand.example}: is required`);
  return faults;
}

function callOf({ script, options = {}, operand, input }: Usage): string {
  const words = Object.entries(options).map(([name, { example, optional }]) =>
    optional ? `[--${name} ${example}]` : `--${name} ${example}`,
  );
  if (operand) words.push(operand.optional ? `[${operand.example}]` : operand.example);
  const call = [`npm run ${script}`, ...(words.length > 0 ? ['--', ...words] : [])];
  if (input) call.push(`< ${input.example}`);
  return `Usage: ${call.join(' ')}`;
}

/** The output of `--help`. */
export function helpOf(usage: Usage): string {
  const rows = Object.entries(usage.options ?? {}).map(([name, { example, meaning }]): [string, string] => [
    `--${name} ${example}`,
    meaning,
  ]);
  if (usage.operand) rows.push([usage.operand.example, usage.operand.meaning]);
  if (usage.input) rows.push([`< ${usage.input.example}`, usage.input.meaning]);
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  const table = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [callOf(usage), '', usage.purpose, ...(table.length > 0 ? ['', ...table] : [])].join('\n');
}
