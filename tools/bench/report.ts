import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import type { Operations } from './operations.js';

export interface Round {
  /** Microseconds of the server process for one request, all threads. */
  readonly cpu: number;
  readonly perSecond: number;
  readonly requests: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Report {
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  readonly rows: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Megabytes of the warm server, after the load. */
  readonly memory: number;
  readonly scenarios: readonly Measured[];
  readonly operations: Operations;
}

interface Measured {
  readonly name: string;
  /** Transactions of the database for one request, with those that are written afterwards. */
  readonly queries: number;
  /** Bytes of the header with the credential. */
  readonly bytes: number;
  readonly rounds: readonly Round[];
}

export const BARE = 'Nest on Fastify, bare';
export const PUBLIC = 'public route';
const PAGE = 'docs/benchmarks.md';
const CHART = 'docs/benchmarks.svg';

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
const median = (numbers: readonly number[]) => sorted(numbers)[Math.floor(numbers.length / 2)]!;
const spread = (numbers: readonly number[]) => sorted(numbers).at(-1)! - sorted(numbers)[0]!;

interface Row {
  readonly name: string;
  readonly cpu: number;
  readonly spread: number;
  readonly toBare: number;
  /** The part above a public route, as a multiple of bare. */
  readonly above: number;
  readonly queries: number;
  readonly bytes: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Ratios are those of the same round. */
function rowsOf({ scenarios }: Report): Row[] {
  const cpuOf = (wanted: string) =>
    scenarios.find(({ name }) => name === wanted)!.rounds.map(({ cpu }) => cpu);
  const [bare, open] = [cpuOf(BARE), cpuOf(PUBLIC)];
  return scenarios.map(({ name, rounds, queries, bytes }) => {
    const of = (field: keyof Round) => median(rounds.map((round) => round[field]));
    return {
      name,
      cpu: of('cpu'),
      spread: spread(rounds.map(({ cpu }) => cpu)),
      toBare: median(rounds.map(({ cpu }, i) => cpu / bare[i]!)),
      above: median(rounds.map(({ cpu }, i) => (cpu - open[i]!) / bare[i]!)),
      queries,
      bytes,
      perSecond: of('perSecond'),
      p50: of('p50'),
      p99: of('p99'),
      p999: of('p999'),
    };
  });
}

const HEADS = [
  'Scenario',
  'CPU µs',
  'spread',
  '÷ bare',
  '(− public) ÷ bare',
  'queries',
  'bytes',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
];
const cellsOf = (row: Row): string[] => [
  row.name,
  row.cpu.toFixed(0),
  row.spread.toFixed(0),
  row.toBare.toFixed(1),
  row.above.toFixed(2),
  row.queries.toFixed(3),
  `${row.bytes}`,
  row.perSecond.toFixed(0),
  `${row.p50}`,
  `${row.p99}`,
  `${row.p999}`,
];

const machineOf = (report: Report) =>
  `${report.processor}, ${report.processors} processors, Node ${report.node}, ${report.rows} credentials of each kind, ${report.connections} connections, ${report.rounds} rounds of ${report.seconds} s. Memory of the server after the load: ${report.memory} MB.`;

export function tableOf(report: Report): string {
  const lines = [HEADS, ...rowsOf(report).map(cellsOf)].map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(i === 4 ? 19 : 11))).join(''),
  );
  return [
    machineOf(report),
    ...lines,
    '',
    ...operationsOf(report).map(([name, value]) => `${name.padEnd(64)}${value}`),
  ].join('\n');
}

const ms = (time: number) => `${time.toFixed(time < 10 ? 1 : 0)} ms`;

const operationsOf = ({ operations }: Report): [string, string][] => [
  ['sign-ins per second, eight clients', operations.signInsPerSecond.toFixed(0)],
  ['refreshes per second, eight clients', operations.refreshesPerSecond.toFixed(0)],
  ['p99 of 1,000 session requests per second, alone', ms(operations.p99Alone)],
  ['the same beside eight clients that sign in', ms(operations.p99BesideSignIns)],
  ['a revocation reaches another node after (median)', ms(operations.revokedAfter.median)],
  ['the longest of 30', ms(operations.revokedAfter.longest)],
  ['start of the process to its first answer', ms(operations.startMs)],
];

const BAR = 22;
const LEFT = 170;
const WIDTH = 460;

/** A bar for each scenario. It has no colours of its own for dark pages, so it has a background. */
function chartOf(rows: readonly Row[]): string {
  const longest = Math.max(...rows.map(({ cpu }) => cpu));
  const bars = rows.map(({ name, cpu }, i) => {
    const y = 30 + i * BAR;
    const width = Math.round((cpu / longest) * WIDTH);
    const text = name.replaceAll('&', '&amp;');
    return `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${text}</text><rect x="${LEFT}" y="${y + 2}" width="${width}" height="15" fill="#2b6cb0"/><text x="${LEFT + width + 6}" y="${y + 13}">${cpu.toFixed(0)}</text>`;
  });
  const height = 40 + rows.length * BAR;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 60} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>CPU time of one request, in microseconds</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="18" font-weight="bold">CPU time of one request, in microseconds</text>
${bars.join('\n')}
</svg>
`;
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** Writes the page and its chart. */
export async function pageOf(report: Report): Promise<void> {
  const rows = rowsOf(report);
  const table = [
    line(HEADS),
    line(HEADS.map((_, i) => (i === 0 ? '---' : '--:'))),
    ...rows.map((row) => line(cellsOf(row))),
  ];
  const text = `<!-- Generated by \`npm run bench -- --write\`. -->

# Benchmarks

What a request costs: the CPU time of the server process, all its threads, with logs, security headers, limits and request ids as in production. CPU time differs less between runs than requests per second. The ratio compares with an empty route of Nest on Fastify, in the same round.

![CPU time by scenario](benchmarks.svg)

${table.join('\n')}

${machineOf(report)}

## Operations

${[line(['Measured', 'Value']), line(['---', '--:']), ...operationsOf(report).map(line)].join('\n')}

A password is hashed with argon2id on purpose slowly. One processor is left to other requests.

## How it is measured

- "The same answer, bare" is the route of the modes without authentication: the part of its price that is no authentication.
- Queries are transactions of the database for each request, with those that are written afterwards. Bytes are those of the header with the credential.
- A warm credential is in the memory of the node, so no query is made. A cold one is looked up in each request (\`CREDENTIAL_CACHE_TTL=0\`, \`CREDENTIAL_CACHE_SIZE=0\`), or its signature is verified again.
- The server has one processor. PostgreSQL and the load share the others.
- [Speed](speed.md) explains the figures.
- The command stops if an answer is unexpected, or if a wrong credential is accepted.

Repeat it with \`npm run build && npm run bench\`. \`--quick\` takes about eight minutes.
`;
  writeFileSync(PAGE, await format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' }));
  writeFileSync(CHART, chartOf(rows));
}
