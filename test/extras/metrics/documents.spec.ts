import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';
import { scrape } from './scrape.js';

const page = await readFile('docs/monitoring.md', 'utf8');
const rules = await readFile('docs/alerts.yml', 'utf8');

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

interface Row {
  readonly names: readonly string[];
  readonly type: string;
  readonly labels: readonly string[];
  readonly isOfLinux: boolean;
}

/** The tables of metrics. The second one has no labels. */
const rows: Row[] = page
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, , type = '']) => /^(counter|gauge|histogram|summary)$/.test(type))
  .map(([, names = '', type = '', labels = '', meaning = '']) => ({
    names: codeIn(names),
    type,
    labels: meaning === '' ? [] : codeIn(labels),
    isOfLinux: labels.endsWith('Linux only'),
  }));

describe('the documents about metrics', () => {
  const context = useServer({ env: { METRICS_PORT: '0' } });

  it('list every metric with its type, and no other', async () => {
    await context.server.anonymous.get('/health/live');
    const { types } = await scrape(context.server);
    const here = rows.filter(({ isOfLinux }) => !isOfLinux || process.platform === 'linux');
    const listed = here.flatMap(({ names, type }) => names.map((name) => `${name} ${type}`));
    expect(listed.toSorted()).toEqual([...types].map(([name, type]) => `${name} ${type}`).toSorted());
  });

  it('list the labels of our metrics', async () => {
    await context.server.anonymous.get('/v1/probes');
    const { samples } = await scrape(context.server);
    const ofProcess = /^(nodejs|process)_/;
    for (const { name, labels } of samples.filter(({ name }) => !ofProcess.test(name))) {
      const row = rows.find(({ names: [one] }) => name.replace(/_(bucket|sum|count)$/, '') === one);
      expect([name, Object.keys(labels).filter((label) => label !== 'le')]).toEqual([name, row?.labels]);
    }
  });

  it('have rules for alerts about metrics that exist', async () => {
    const known = new Set(
      [...(await scrape(context.server)).types].flatMap(([name]) => [
        name,
        `${name}_count`,
        `${name}_bucket`,
      ]),
    );
    const expressions = [...rules.matchAll(/expr: (?:\|\n((?: {10,}.*\n)+)|(.*))/g)].map(
      ([, lines, line]) => lines ?? line!,
    );
    expect(expressions).toHaveLength(rules.match(/- alert:/g)!.length);
    const named = expressions
      .flatMap((text) => text.replaceAll(/"[^"]*"/g, '').match(/\b[a-z0-9]+(?:_[a-z0-9]+)+\b/g) ?? [])
      .filter((name) => name !== 'histogram_quantile');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('have rules for alerts with labels that metrics have', () => {
    const labels = new Set([...rows.flatMap((row) => row.labels), 'job', 'le', 'instance']);
    const used = [...rules.matchAll(/(\w+)!?="|\$labels\.(\w+)|by \(([^)]+)\)/g)].flatMap(
      ([, matched, shown, grouped]) => matched ?? shown ?? grouped!.split(', '),
    );
    expect(used.filter((label) => !labels.has(label))).toEqual([]);
  });
});
