import { describe, expect, it } from '@jest/globals';
import { mutantsOf } from '../../tools/mutate/mutants.js';

const codeOf = (text: string) => mutantsOf('a.ts', text).map(({ code }) => code.trim());
const textOf = (text: string) => mutantsOf('a.ts', text).map((mutant) => mutant.text);

describe('npm run mutate', () => {
  it('removes a guard', () => {
    expect(textOf('if (isOver) throw new Error();')).toEqual(['if (false) throw new Error();']);
    expect(textOf('function f() { if (a) { log(); return 1; } }')).toEqual([
      'function f() { if (false) { log(); return 1; } }',
    ]);
    expect(codeOf('if (a) return 1; else return 2;')).toEqual([]);
    expect(codeOf('if (a) count += 1;')).toEqual([]);
  });

  it('removes each operand of a condition', () => {
    expect(textOf('const f = () => a && b;')).toEqual([
      'const f = () => true && b;',
      'const f = () => a && true;',
    ]);
    expect(codeOf('const text = a && b;')).toEqual([]);
  });

  it('removes a call that only refuses', () => {
    expect(codeOf('async function f() { await this.acting.lock(manager, by); await save(); }')).toEqual([
      'await this.acting.lock(manager, by);',
    ]);
  });

  it('removes a condition of SQL, and keeps what follows', () => {
    const sql = '`DELETE FROM a WHERE id = $1 AND ended_at IS NULL RETURNING id`';
    expect(codeOf(`query(${sql})`)).toEqual(['id = $1', 'ended_at IS NULL']);
    expect(textOf(`query(${sql})`)[1]).toBe('query(`DELETE FROM a WHERE id = $1 AND TRUE RETURNING id`)');
    expect(codeOf('query(`SELECT 1 FROM a WHERE b IN (SELECT c FROM d WHERE e = $1) LIMIT 1`)')).toEqual([
      'b IN (SELECT c FROM d WHERE e = $1)',
      'e = $1',
    ]);
    expect(codeOf("query('DELETE FROM a WHERE id = $1')")).toEqual(['id = $1']);
  });

  it('names the line', () => {
    expect(mutantsOf('a.ts', 'a();\n\nif (b) throw c;')).toMatchObject([{ file: 'a.ts', line: 3 }]);
  });
});
