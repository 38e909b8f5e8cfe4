// npm run asvs -- [--write] [--no-run | --results FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { faultsOf, namedTests } from './evidence.js';
import { pageOf } from './page.js';
import { requirementsOf } from './requirements.js';
import { readResults, runTests } from './results.js';

const USAGE = `Usage: npm run asvs -- [--write] [--no-run | --results FILE]

Lists the requirements of the ASVS and of RFC 9700 with their tests and results. Fails if one is not shown.

--write         writes docs/asvs.md
--no-run        runs no test, and says only what is missing
--results FILE  reads the results of a run of Jest with --json --outputFile=FILE`;

const PAGE = 'docs/asvs.md';
const root = process.cwd();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean' },
      'no-run': { type: 'boolean' },
      results: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return console.log(USAGE);
  const [asvs, rfc9700] = [requirementsOf('asvs.tsv'), requirementsOf('rfc9700.tsv')];
  const tests = namedTests(root);
  const page = await format(pageOf(asvs, rfc9700, tests), {
    ...(await resolveConfig(PAGE)),
    parser: 'markdown',
  });
  if (values.write) writeFileSync(PAGE, page);
  const files = [...new Set([...tests.values()].flat().map(({ file }) => file))];
  const results = values.results
    ? readResults(values.results)
    : values['no-run']
      ? undefined
      : runTests(files);
  const faults =
    readFileSync(PAGE, 'utf8') === page ? [] : [`${PAGE} is not up to date: npm run asvs -- --write`];
  const known = new Set([...asvs, ...rfc9700].map(({ id }) => id));
  for (const id of tests.keys())
    if (!known.has(id)) faults.push(`${id} is in the name of a test, and in no table`);
  for (const requirement of [...asvs, ...rfc9700]) {
    const named = tests.get(requirement.id) ?? [];
    const wrong = faultsOf(root, requirement, named, results);
    faults.push(...wrong.map((fault) => `${requirement.id} ${fault}`));
    const state = wrong.length > 0 ? 'FAILED' : requirement.applies ? 'shown' : 'n/a';
    const shown = [...named.map(({ file, title }) => `${file}: ${title}`), ...requirement.places];
    console.log(
      `${requirement.id.padEnd(15)} ${requirement.level.padEnd(6)} ${state.padEnd(6)} ${shown.join('; ')}`,
    );
  }
  for (const fault of faults) console.error(fault);
  console.log(`${known.size} requirements, ${faults.length} faults`);
  if (faults.length > 0) process.exitCode = 1;
}

await main();
