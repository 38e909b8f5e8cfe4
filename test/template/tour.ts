import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Tour {
  /** The statuses that the lines say. */
  readonly expected: string[];
  readonly statuses: string[];
  readonly code: number | null;
  readonly output: string;
}

/** The lines of a document that stand below `<!-- tour -->`, in their order. */
export const tourOf = (document: string): string[] =>
  [...document.matchAll(/<!-- tour -->\n+```sh\n([\s\S]*?)```/g)].flatMap((block) =>
    block[1]!.trim().split('\n'),
  );

export const statusSaidBy = (line: string): string | undefined => /# (\d{3})$/.exec(line)?.[1];

/** Runs a tour as a person's shell would, with texts replaced. The tour itself prints the status of each answer, on standard error. */
export async function runTour(
  lines: readonly string[],
  replacements: Readonly<Record<string, string>>,
): Promise<Tour> {
  const expected = lines.flatMap((line) => statusSaidBy(line) ?? []);
  const script = Object.entries(replacements).reduce(
    (text, [from, to]) => text.replaceAll(from, to),
    lines.join('\n'),
  );
  const cwd = await mkdtemp(join(tmpdir(), 'auth-modes-tour-'));
  const child = spawn('bash', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  await rm(cwd, { recursive: true, force: true });
  const statuses = [...errors.matchAll(/^(\d{3})$/gm)].map((match) => match[1]!);
  return { expected, statuses, code, output: output + errors };
}
