import { expect } from '@jest/globals';
import type { TestServer } from '../../support/server.js';

/** A line of the text format of Prometheus. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Scrape {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** The type of each metric by its name. */
  readonly types: ReadonlyMap<string, string>;
  /** The sum of the values with these labels, 0 without any. */
  total(name: string, labels?: Record<string, string>): number;
}

const LINE = /^([a-z][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="([^"]*)"/g;

function sampleOf(line: string): Sample {
  const [, name, labels = '', value] = LINE.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  return {
    name,
    labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, text]) => [label, text])),
    value: value === '+Inf' ? Infinity : Number(value),
  };
}

/** Parses the answer to a scrape. @throws if it has a line that Prometheus could not read */
export function parse(text: string): Scrape {
  const lines = text.split('\n').filter(Boolean);
  const samples = lines.filter((line) => !line.startsWith('#')).map(sampleOf);
  const types = new Map(
    lines.flatMap((line) => {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, type!] as const];
    }),
  );
  const total = (name: string, labels: Record<string, string> = {}) =>
    samples
      .filter((one) => one.name === name)
      .filter((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  return { text, samples, types, total };
}

/** Where a server with METRICS_PORT=0 serves its metrics. */
export async function metricsUrl(server: TestServer): Promise<string> {
  const entry = (await server.entries()).find(({ msg }) => msg === 'serving metrics');
  return String(entry?.['url']);
}

export async function scrape(server: TestServer): Promise<Scrape> {
  const answer = await fetch(await metricsUrl(server));
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return parse(await answer.text());
}
