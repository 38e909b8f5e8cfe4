import ts from 'typescript';

/** One check that is removed from a file. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** What is removed, on one line. */
  readonly code: string;
  /** The whole text of the file without the check. */
  readonly text: string;
}

/** A part of a text and what takes its place. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** Calls for their refusal only. */
const CHECKS =
  /^(?:await )?(?:this\.)?(?:[\w#]+\.)*#?(?:assert|check|count|ensure|hold|lock|refuse|require|verify)\w*\(/;
const END_OF_CONDITION = /^(?:AND|OR|RETURNING|ORDER|LIMIT|FOR|GROUP|UNION|ON)\b/;

/** Every check of a file: guards, operands of `&&`, calls that only refuse, and conditions of SQL. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const changes: Change[] = [];
  const visit = (node: ts.Node): void => {
    changes.push(...changesAt(node, source));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return changes.map(({ start, end, by }) => ({
    file,
    line: source.getLineAndCharacterOfPosition(start).line + 1,
    code: text.slice(start, end).replaceAll(/\s+/g, ' '),
    text: text.slice(0, start) + by + text.slice(end),
  }));
}

function changesAt(node: ts.Node, source: ts.SourceFile): Change[] {
  if (ts.isIfStatement(node) && isGuard(node)) return [replaced(node.expression, 'false', source)];
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken)
    return isCondition(node)
      ? [replaced(node.left, 'true', source), replaced(node.right, 'true', source)]
      : [];
  if (ts.isExpressionStatement(node) && CHECKS.test(node.getText(source)))
    return [replaced(node, ';', source)];
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return sqlChanges(node, source);
  return [];
}

const replaced = (node: ts.Node, by: string, source: ts.SourceFile): Change => ({
  start: node.getStart(source),
  end: node.getEnd(),
  by,
});

/** `if (…) throw …;` and `if (…) return …;` without `else`. */
function isGuard({ thenStatement, elseStatement }: ts.IfStatement): boolean {
  const last = ts.isBlock(thenStatement) ? thenStatement.statements.at(-1) : thenStatement;
  return !elseStatement && last !== undefined && (ts.isThrowStatement(last) || ts.isReturnStatement(last));
}

/** Whether the value only decides: it is tested, returned by a predicate, or part of another condition. */
function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isParenthesizedExpression(parent) || ts.isPrefixUnaryExpression(parent)) return isCondition(parent);
  if (ts.isBinaryExpression(parent))
    return /^(?:&&|\|\|)$/.test(parent.operatorToken.getText()) && isCondition(parent);
  if (ts.isIfStatement(parent) || ts.isConditionalExpression(parent)) return true;
  return ts.isReturnStatement(parent) || ts.isArrowFunction(parent);
}

/** Each condition after WHERE or AND becomes TRUE. */
function sqlChanges(node: ts.Node, source: ts.SourceFile): Change[] {
  const text = node.getText(source);
  if (!/\b(?:WHERE|ON)\b[\s\S]*=/.test(text) || !/\b(?:SELECT|UPDATE|DELETE|INSERT)\b/.test(text)) return [];
  return [...text.matchAll(/\b(?:WHERE|AND)\s+/g)].flatMap(({ index, 0: { length } }) => {
    const start = index + length;
    const end = endOfCondition(text, start);
    const at = node.getStart(source);
    return end > start ? [{ start: at + start, end: at + end, by: 'TRUE ' }] : [];
  });
}

function endOfCondition(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i += 1) {
    const character = text[i]!;
    if ('({['.includes(character)) depth += 1;
    else if (')}]'.includes(character)) depth -= 1;
    const isEnd = depth === 0 && ('`\'"'.includes(character) || END_OF_CONDITION.test(text.slice(i)));
    if (depth < 0 || (isEnd && character !== "'") || (isEnd && text[start - 1] === "'")) return i;
  }
  return text.length - 1;
}
