import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idsIn } from './evidence.js';

interface JestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** Whether the tests of each id passed, by a file that Jest has written with `--json`. Skipped tests do not count. */
export function readResults(file: string): Map<string, boolean> {
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
  const results = new Map<string, boolean>();
  for (const { title, status } of testResults.flatMap(({ assertionResults }) => assertionResults))
    if (status === 'passed' || status === 'failed')
      for (const id of idsIn(title)) results.set(id, (results.get(id) ?? true) && status === 'passed');
  return results;
}

/** Runs the given test files, and of these only the tests that have an id. */
export function runTests(files: readonly string[]): Map<string, boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'asvs-'));
  const report = join(directory, 'results.json');
  const options = ['--json', `--outputFile=${report}`, '--silent', '-t', String.raw`\[(V\d|RFC 9700)`];
  try {
    spawnSync('npm', ['run', '--silent', 'test:all', '--', ...options, ...files], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return readResults(report);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
