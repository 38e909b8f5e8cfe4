// npm run keep -- NAME… [--without NAME…] [--dry-run]
import { parseArgs } from 'node:util';
import { cut } from './cut.js';
import { House } from './house.js';
import { type Plan, planFor } from './plan.js';
import { Project, RefusedError } from './project.js';
import { refuseUnused } from './sweep.js';
import { FOLLOWING, MODES, nameOf, PARTS } from './template.js';

const USAGE = `Usage: npm run keep -- [MODE…] [--without NAME…] [--dry-run]

Keeps the named modes and all that they need, and removes the others with their code, migrations, tests, pages,
scripts, settings and packages. Without a name, all modes stay. Extras and examples stay if all that they need stays.

Modes:      ${MODES.map(nameOf).join(', ')}
--without:  examples, ${[...FOLLOWING.map(nameOf), ...Object.keys(PARTS)].join(', ')}
--dry-run   shows what would go, and changes nothing`;

const root = process.cwd();

function describe({ kept, removed, deleted }: Plan): string {
  return [
    `Stay:   ${kept.map(nameOf).join(', ')}`,
    `Go:     ${removed.join(', ')}`,
    'Delete:',
    ...deleted.map((path) => `  ${path}`),
    'Then:   everything that nothing uses any more: files, exports, settings, scripts, packages',
  ].join('\n');
}

/** `--without a b` and `--without a --without b` mean the same. */
function readArguments(): { keep: string[]; without: string[]; dryRun: boolean; help: boolean } {
  const keep: string[] = [];
  const without: string[] = [];
  let names = keep;
  const { tokens, values } = parseArgs({
    options: {
      without: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
    tokens: true,
  });
  if (tokens.length === 0) throw new RefusedError(USAGE);
  for (const token of tokens)
    if (token.kind === 'positional') names.push(...token.value.split(','));
    else if (token.kind === 'option' && token.name === 'without') names = without;
  return { keep, without, dryRun: values['dry-run'] ?? false, help: values.help ?? false };
}

function main(): void {
  const { dryRun, help, ...request } = readArguments();
  if (help) return console.log(USAGE);
  if (!dryRun) new Project(root).requireCommitted();
  const plan = planFor(new House(root), request);
  console.log(describe(plan));
  if (dryRun) return;
  if (plan.removed.length === 0) throw new RefusedError('There is nothing to remove.');
  refuseUnused(root);
  const { swept, scripts, packages, settings, left } = cut(root, plan);
  console.log(
    [
      `Removed as unused: ${swept.length} files`,
      ...swept.map((path) => `  ${path}`),
      `Scripts:  ${scripts.join(', ') || 'none'}`,
      `Settings: ${settings.join(', ') || 'none'}`,
      `Packages: ${packages.join(', ') || 'none'}`,
      ...(left.length > 0
        ? ['These lines still name what is gone:', ...left.map((line) => `  ${line}`)]
        : []),
      'Next: npm install && npm run check, then commit. To undo: git reset --hard && git clean -fd',
    ].join('\n'),
  );
}

try {
  main();
} catch (error) {
  if (!(error instanceof RefusedError) && !(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
