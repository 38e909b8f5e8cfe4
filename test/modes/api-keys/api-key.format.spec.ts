import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { generateKey, KEY_PATTERN, keyFault } from '../../../src/modes/api-keys/api-key.format.js';
import { crc32Base62, randomBase62 } from '../../../src/platform/crypto/base62.js';

describe('a new key', () => {
  it('is a key of its environment, and of no other', () => {
    const text = generateKey('test').key.reveal();
    expect(keyFault(text, 'test')).toBeUndefined();
    expect(keyFault(text, 'live')).toBe('key of another environment');
  });

  it('has its form', () => {
    expect(generateKey('eu1').key.reveal()).toMatch(/^nk_eu1_[0-9A-Za-z]{49}$/);
  });

  it('can be recognised by its beginning and its end', () => {
    const { key, prefix, last4 } = generateKey('live');
    expect(prefix).toMatch(/^nk_live_[0-9A-Za-z]{4}$/);
    expect(key.reveal().startsWith(prefix)).toBe(true);
    expect(last4).toHaveLength(4);
    expect(key.reveal().endsWith(last4)).toBe(true);
  });

  it('is another each time', () => {
    const keys = new Set(Array.from({ length: 1_000 }, () => generateKey('test').key.reveal()));
    expect(keys.size).toBe(1_000);
  });

  it('does not print itself', () => {
    expect(JSON.stringify(generateKey('test'))).toContain('"key":"[secret]"');
  });
});

describe('the pattern for secret scanners', () => {
  const key = generateKey('test').key.reveal();
  const found = (text: string) => [...text.matchAll(new RegExp(KEY_PATTERN, 'g'))].map(([match]) => match);

  it('stands in the README as it is', async () => {
    const readme = await readFile('src/modes/api-keys/README.md', 'utf8');
    expect(readme).toContain(`\n${KEY_PATTERN}\n`);
  });

  it.each([
    ['a line of its own', key],
    ['quotes', `const KEY = '${key}';`],
    ['JSON', JSON.stringify({ key })],
    ['a file of variables', `API_KEY=${key}\nPORT=3000`],
    ['a header', `X-API-Key:${key}`],
    ['a URL', `https://api.example.com/?api_key=${key}&x=1`],
    ['a path', `/keys/${key}/`],
    ['prose', `Use ${key}. Do not share it.`],
    ['Markdown', `**${key}**`],
  ])('finds a key in %s', (_where, text) => {
    expect(found(text)).toEqual([key]);
    expect(keyFault(found(text)[0]!, 'test')).toBeUndefined();
  });

  it('finds keys of every environment, each of them', () => {
    const keys = ['test', 'live', 'eu1', 'a'.repeat(16)].map((name) => generateKey(name).key.reveal());
    expect(found(keys.join(' '))).toEqual(keys);
  });

  it.each([
    ['a longer word', `x${key}`],
    ['one with more behind it', `${key}x`],
    ['one that ends too early', key.slice(0, -1)],
    ['a part of another name', `OLD_${key}`],
    ['what a list shows of it', `${key.slice(0, 12)}...${key.slice(-4)}`],
  ])('does not find %s', (_what, text) => {
    expect(found(text)).toEqual([]);
  });
});

describe('a key with a typo', () => {
  it('is refused wherever the character is', () => {
    const text = generateKey('test').key.reveal();
    for (let i = 0; i < text.length; i += 1)
      for (const character of 'aZ09_-') {
        if (text[i] === character) continue;
        const typo = text.slice(0, i) + character + text.slice(i + 1);
        expect(keyFault(typo, 'test')).toBeDefined();
      }
  });

  it('is refused when two neighbours are swapped', () => {
    const text = generateKey('test').key.reveal();
    for (let i = 0; i < text.length - 1; i += 1) {
      if (text[i] === text[i + 1]) continue;
      const typo = text.slice(0, i) + text[i + 1] + text[i] + text.slice(i + 2);
      expect(keyFault(typo, 'test')).toBeDefined();
    }
  });

  it('is told apart in the log', () => {
    const text = generateKey('test').key.reveal();
    const other = text[20] === 'a' ? 'b' : 'a';
    expect(keyFault(text.slice(0, 20) + other + text.slice(21), 'test')).toBe('wrong checksum of the key');
  });

  it.each([
    ['nothing', ''],
    ['a prefix alone', 'nk_test_'],
    ['another kind of secret', `at_${'a'.repeat(43)}`],
    ['an upper-case environment', generateKey('test').key.reveal().replace('test', 'TEST')],
    ['a key with something behind it', `${generateKey('test').key.reveal()}x`],
    ['a key with a line end behind it', `${generateKey('test').key.reveal()}\n`],
    ['a key with a space before it', ` ${generateKey('test').key.reveal()}`],
    ['two keys', [1, 2].map(() => generateKey('test').key.reveal()).join(', ')],
  ])('is malformed as %s', (_what, text) => {
    expect(keyFault(text, 'test')).toBe('malformed key');
  });
});

describe('randomBase62', () => {
  it('draws every letter and digit, about as often', () => {
    const counts = new Map<string, number>();
    for (const character of randomBase62(62_000)) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(counts.size).toBe(62);
    for (const count of counts.values()) {
      // Seven standard deviations around 1,000.
      expect(count).toBeGreaterThan(780);
      expect(count).toBeLessThan(1_220);
    }
  });

  it.each([0, 1, 43])('has the length asked for: %i', (length) => {
    expect(randomBase62(length)).toHaveLength(length);
  });
});

describe('crc32Base62', () => {
  // 0xCBF43926 is the check value that CRC-32 is published with.
  it.each([
    ['', '000000'],
    ['123456789', '3jZRME'],
  ])('of %j is always %s', (text, checksum) => {
    expect(crc32Base62(text)).toBe(checksum);
  });
});
