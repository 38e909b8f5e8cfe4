import { Global, Injectable, Module } from '@nestjs/common';

/** A counter or gauge, with a name by the conventions of Prometheus. */
export interface Instrument {
  readonly type: 'counter' | 'gauge';
  /** With its unit. A counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** Labels with few values, such as the name of a limit. Never an id, a path or a part of a secret. */
  readonly labels: readonly string[];
}

type Labels = Readonly<Record<string, string>>;
type Read = () => Iterable<readonly [Labels, number]>;

const declared = new Map<string, Instrument>();

/** Declares a gauge, beside the code that has its values. @throws if the name is already declared */
export const defineGauge = (name: string, help: string, ...labels: string[]): Instrument =>
  define({ type: 'gauge', name, help, labels });

/** Declares a counter, whose name ends in `_total`. @throws if the name is already declared */
export const defineCounter = (name: string, help: string, ...labels: string[]): Instrument =>
  define({ type: 'counter', name, help, labels });

function define(instrument: Instrument): Instrument {
  const { name } = instrument;
  if (declared.has(name)) throw new Error(`the instrument "${name}" is declared twice`);
  declared.set(name, instrument);
  return instrument;
}

/** The declared instruments of all loaded rooms. */
export const allInstruments = (): Instrument[] => [...declared.values()];

/**
 * The values of this application's instruments. Whatever exports them reads them here, so no room knows an exporter. A
 * request only changes a number that it has at hand.
 */
@Injectable()
export class Instruments {
  readonly #reads = new Map<Instrument, Read[]>();

  /** Adds a value. `read` is called for each export. */
  add(instrument: Instrument, read: () => number, labels: Labels = {}): void {
    this.addAll(instrument, () => [[labels, read()]]);
  }

  /** Adds values whose labels become known later. */
  addAll(instrument: Instrument, read: Read): void {
    const others = this.#reads.get(instrument);
    if (others) others.push(read);
    else this.#reads.set(instrument, [read]);
  }

  /** The current values of an instrument. */
  *read(instrument: Instrument): Iterable<readonly [Labels, number]> {
    for (const read of this.#reads.get(instrument) ?? []) yield* read();
  }
}

/** Counts by the value of one label. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  *by(label: string): Iterable<readonly [Labels, number]> {
    for (const [value, count] of this.#counts) yield [{ [label]: value }, count];
  }
}

@Global()
@Module({ providers: [Instruments], exports: [Instruments] })
export class InstrumentsModule {}
