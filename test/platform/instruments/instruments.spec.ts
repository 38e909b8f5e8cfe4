import { describe, expect, it } from '@jest/globals';
import {
  allInstruments,
  Counts,
  defineCounter,
  defineGauge,
  Instruments,
} from '../../../src/platform/instruments/instruments.js';

const OPEN = defineGauge('doors_open', 'Open doors', 'floor');

describe('an instrument', () => {
  it('is declared once', () => {
    expect(allInstruments()).toContain(OPEN);
    expect(() => defineCounter(OPEN.name, OPEN.help)).toThrow(
      'the instrument "doors_open" is declared twice',
    );
  });

  it('has the values of all its sources, read when they are asked for', () => {
    const instruments = new Instruments();
    let open = 1;
    instruments.add(OPEN, () => open, { floor: '1' });
    instruments.addAll(OPEN, () => [[{ floor: '2' }, 5]]);
    open = 2;
    expect([...instruments.read(OPEN)]).toEqual([
      [{ floor: '1' }, 2],
      [{ floor: '2' }, 5],
    ]);
  });

  it('has no value in an application that adds none', () => {
    expect([...new Instruments().read(OPEN)]).toEqual([]);
  });

  it('can count by a label', () => {
    const counts = new Counts();
    for (const value of ['a', 'b', 'a']) counts.add(value);
    expect([...counts.by('kind')]).toEqual([
      [{ kind: 'a' }, 2],
      [{ kind: 'b' }, 1],
    ]);
  });
});
