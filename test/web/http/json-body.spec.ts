import { describe, expect, it } from '@jest/globals';
import { parseJson } from '../../../src/web/http/json-body.js';

const REFUSED = 'The body must be valid JSON without the keys __proto__ and constructor.prototype.';
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('parseJson', () => {
  it('reads 20 levels and refuses 21, of arrays and objects alike', () => {
    expect(() => parseJson(nested(20))).not.toThrow();
    for (const json of [nested(21), `{"a":${nested(20)}}`, `[${'{"a":'.repeat(20)}1${'}'.repeat(20)}]`])
      expect(() => parseJson(json)).toThrow('nested deeper than 20');
  });

  it('refuses deep JSON before it reads it, even if it is malformed', () => {
    expect(() => parseJson('['.repeat(90_000))).toThrow('nested deeper than 20');
  });

  it('ignores brackets inside strings, with any escapes', () => {
    for (const text of [
      '['.repeat(50),
      String.raw`\"${'['.repeat(50)}`,
      String.raw`\\`,
      String.raw`\\\"${'{'.repeat(50)}`,
    ])
      expect(typeof parseJson(`"${text}"`)).toBe('string');
    // The text ends at the second quote, since the backslash before it is escaped itself.
    expect(() => parseJson(String.raw`["\\",${nested(21)}]`)).toThrow('nested deeper than 20');
  });

  it('does not give depth back for brackets that close nothing', () => {
    expect(() => parseJson(`${']'.repeat(30)}${'['.repeat(40)}`)).toThrow();
  });

  it.each([
    ['{"__proto__":1}'],
    ['{"a":[{"b":{"__proto__":{"admin":true}}}]}'],
    [String.raw`{"\u005F\u005fproto\u005f_":1}`],
    ['{"constructor":{"prototype":{}}}'],
    ['[{"constructor":{"a":1,"prototype":null}}]'],
  ])('[V1.3.3] refuses %s, which could reach a prototype', (json) => {
    expect(() => parseJson(json)).toThrow(REFUSED);
  });

  it.each([['{"constructor":"x"}'], ['{"prototype":{}}'], ['{"a":"__proto__"}'], ['"__proto__"']])(
    'reads %s, which cannot',
    (json) => {
      expect(parseJson(json)).toEqual(JSON.parse(json));
    },
  );

  it.each([['{'], ["{'a':1}"], ['[1,]'], ['NaN'], ['undefined'], ['1 2'], ['{"a":01}'], ['\u00a0{}']])(
    '[V1.5.2] refuses %s, which is no JSON',
    (json) => {
      expect(() => parseJson(json)).toThrow(REFUSED);
    },
  );
});
