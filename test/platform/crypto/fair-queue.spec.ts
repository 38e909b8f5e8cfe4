import { describe, expect, it } from '@jest/globals';
import { FairQueue } from '../../../src/platform/crypto/fair-queue.js';

/** A queue whose places have names such as `a1`: the first of the client `a`. */
function named(limit: number) {
  const queue = new FairQueue(limit);
  const entered: string[] = [];
  const givenUp: string[] = [];
  const closed = new Set<string>();
  const add = (...names: string[]) => {
    for (const name of names)
      queue.add({
        client: name[0]!,
        connection: {
          get destroyed() {
            return closed.has(name);
          },
        },
        enter: () => entered.push(name),
        giveUp: () => givenUp.push(name),
      });
  };
  const drain = () => {
    for (let place = queue.next(); place; place = queue.next()) place.enter();
    return entered;
  };
  return { queue, add, drain, givenUp, closed };
}

describe('FairQueue', () => {
  it('keeps the order of one client', () => {
    const { add, drain } = named(10);
    add('a1', 'a2', 'a3');
    expect(drain()).toEqual(['a1', 'a2', 'a3']);
  });

  it('[V15.4.4] lets clients take turns, however many places each has', () => {
    const { add, drain } = named(10);
    add('a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2');
    expect(drain()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('gives up places whose connection is closed', () => {
    const { add, drain, givenUp, closed } = named(10);
    add('a1', 'a2', 'a3', 'b1');
    closed.add('a1').add('a2');
    expect([drain(), givenUp.toSorted()]).toEqual([
      ['b1', 'a3'],
      ['a1', 'a2'],
    ]);
  });

  it('counts no closed places against its limit', () => {
    const { add, drain, givenUp, closed } = named(3);
    add('a1', 'a2', 'a3');
    closed.add('a1').add('a3');
    add('a4', 'a5');
    expect([drain(), givenUp]).toEqual([
      ['a2', 'a4', 'a5'],
      ['a1', 'a3'],
    ]);
  });

  it('refuses a new request if the queue is full and one client fills it', () => {
    const { add, drain, givenUp } = named(2);
    add('a1', 'a2', 'a3');
    expect([drain(), givenUp]).toEqual([['a1', 'a2'], ['a3']]);
  });

  it('makes room for another client at the cost of the one with the most places', () => {
    const { add, drain, givenUp } = named(4);
    add('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3');
    expect([drain(), givenUp]).toEqual([
      ['a1', 'b1', 'a2', 'b2'],
      ['a4', 'a3', 'b3'],
    ]);
  });

  it('is empty again after any number of places', () => {
    const { queue, add, drain, givenUp } = named(5);
    for (let i = 0; i < 100; i += 1) add(`${'abc'[i % 3]}${i}`);
    expect(drain().length + givenUp.length).toBe(100);
    expect(queue.next()).toBeUndefined();
    add('d1', 'd2', 'd3', 'd4', 'd5');
    expect(givenUp).not.toContain('d5');
  });
});
