import type { Metric, MetricValueWithName, Registry } from '@prometheus-io/client';
import { allInstruments, type Instruments } from '../../platform/instruments/instruments.js';

/** A metric whose values are read at each scrape. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  values(): Iterable<MetricValueWithName<string>>;
}

/** Adds a metric to the registry, which asks it for its values by `get`. */
export function register(registry: Registry, family: MetricFamily): void {
  const { name, type, help } = family;
  const get = async () => ({ name, type, help, aggregator: 'sum', values: [...family.values()] });
  registry.registerMetric({ name, type, help, aggregator: 'sum', get } as unknown as Metric<string>);
}

/** The metrics of the instruments of all rooms. */
export const familiesOf = (instruments: Instruments): MetricFamily[] =>
  allInstruments().map((instrument) => ({
    ...instrument,
    *values() {
      for (const [labels, value] of instruments.read(instrument)) yield { labels, value };
    },
  }));
