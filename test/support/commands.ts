import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { built } from './build.js';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** The scripts of package.json that run a file of the build: the file, and the first arguments. */
export const COMMANDS = Object.entries(scripts).flatMap(([name, script]) => {
  // The last of the forms for different shells.
  const [launcher, file, ...args] = script.split(' || ').at(-1)!.replace('node ', '').split(' ');
  return launcher === 'scripts/run.mjs' && file ? [{ name, file, args }] : [];
});

/** Runs what an npm script runs, with a text on standard input. */
export async function runCommand(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
): Promise<Outcome> {
  const { file, args: first } = COMMANDS.find(({ name }) => name === command)!;
  const child = spawn(process.execPath, [built(file), ...first, ...args], {
    env: {
      PATH: process.env['PATH'],
      ENCRYPTION_SECRETS: 'a-secret-for-tests-of-32-characters-and-more',
      LOG_LEVEL: 'debug',
      ...env,
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.on('error', () => undefined); // a command that refuses its arguments reads no password
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
