// npm run mutate -- [--only PATH] [--workers N] [--list] [--resume]
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './mutants.js';
import { Workspace } from './workspace.js';

const USAGE = `Usage: npm run mutate -- [--only PATH] [--workers N] [--list] [--resume]

Removes one check at a time from the code, and shows that a test fails for each. Takes about a minute for each check.

--only PATH  the file or folder, such as src/modes/api-keys. Default: auth, accounts, modes, extras and crypto
--workers N  tries N checks at the same time (1)
--list       lists the checks and tries none
--resume     leaves out what the run before has tried`;

const FOLDERS = ['src/auth', 'src/platform/crypto', 'src/accounts', 'src/modes', 'src/extras'];
const LOG = '.data/mutations.tsv';
/** Survivors with the reason why no test can fail: file, code, reason. */
const ACCEPTED = 'tools/mutate/survivors.tsv';

const root = process.cwd();
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const keyOf = ({ file, code }: Pick<Mutant, 'file' | 'code'>) => `${file}\t${code}`;

function sources(only: string | undefined): string[] {
  const folders = only === undefined ? FOLDERS.filter((folder) => existsSync(join(root, folder))) : [only];
  return folders.flatMap((folder) =>
    folder.endsWith('.ts')
      ? [folder]
      : readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => /(?<!module|schemas|entity|d)\.ts$/.test(file))
          .map((file) => `${folder}/${file}`),
  );
}

/** The keys of the first two columns of a table. */
const keysIn = (file: string): Set<string> =>
  new Set(
    existsSync(join(root, file))
      ? read(file)
          .split('\n')
          .map((line) => line.split('\t', 2).join('\t'))
      : [],
  );

async function tryAll(mutants: readonly Mutant[], workers: number): Promise<Mutant[]> {
  const waiting = [...mutants];
  const survivors: Mutant[] = [];
  const began = Date.now();
  let done = 0;
  mkdirSync(dirname(LOG), { recursive: true });
  const work = async () => {
    const workspace = new Workspace(root);
    try {
      for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
        const { killedBy } = await workspace.try(mutant, read(mutant.file));
        if (killedBy === undefined) survivors.push(mutant);
        done += 1;
        const minutes = Math.ceil((((Date.now() - began) / done) * (mutants.length - done)) / 60_000);
        const { file, line, code } = mutant;
        console.log(
          `${killedBy === undefined ? 'SURVIVED' : 'killed'} ${file}:${line} ${code}\n  ${killedBy ?? ''} (${done} of ${mutants.length}, ${minutes} min left)`,
        );
        appendFileSync(LOG, `${keyOf(mutant)}\t${killedBy ?? ''}\n`);
      }
    } finally {
      workspace.remove();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return survivors;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      workers: { type: 'string', default: '1' },
      list: { type: 'boolean' },
      resume: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return console.log(USAGE);
  if (!values.resume) rmSync(LOG, { force: true });
  const tried = keysIn(LOG);
  const mutants = sources(values.only)
    .flatMap((file) => mutantsOf(file, read(file)))
    .filter((mutant) => !tried.has(keyOf(mutant)));
  if (values.list) return mutants.forEach(({ file, line, code }) => console.log(`${file}:${line} ${code}`));
  const survivors = await tryAll(mutants, Number(values.workers));
  const accepted = keysIn(ACCEPTED);
  const open = survivors.filter((mutant) => !accepted.has(keyOf(mutant)));
  console.log(
    `${mutants.length} checks, ${survivors.length} survived, ${open.length} of them without a reason:`,
  );
  for (const { file, line, code } of open) console.log(`  ${file}:${line} ${code}`);
  if (open.length > 0) process.exitCode = 1;
}

await main();
