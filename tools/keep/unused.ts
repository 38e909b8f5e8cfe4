import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/**
 * A declaration such as `const owner = defineKeyOwner({ … })` registers something, used or not. Only a problem that nothing
 * throws can go.
 */
const REGISTERED = /^const \w+ = (?=define(?!Problem\b)\w+\()/;

/** Removes imports, local declarations and private members that nothing uses. Returns how many files it changed. */
export function removeUnusedLocals(root: string): number {
  const path = join(root, 'tsconfig.json');
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const texts = new Map<string, string>();
  const versions = new Map<string, number>();
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({ ...options, noUnusedLocals: true }),
    getScriptFileNames: () => fileNames,
    getScriptVersion: (file) => String(versions.get(file) ?? 0),
    getScriptSnapshot: (file) => {
      const text = texts.get(file) ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath!,
  });
  for (const file of fileNames)
    for (let text = withoutUnused(service, file); text !== undefined; text = withoutUnused(service, file)) {
      texts.set(file, text);
      versions.set(file, (versions.get(file) ?? 0) + 1);
    }
  for (const [file, text] of texts) writeFileSync(file, text);
  return texts.size;
}

/** The text of a file after the compiler's fixes for what is unused in it; undefined if there are none. */
function withoutUnused(service: ts.LanguageService, file: string): string | undefined {
  const source = service.getProgram()!.getSourceFile(file)!;
  const changes: ts.TextChange[] = [];
  for (const { start, length, code, reportsUnnecessary } of service.getSemanticDiagnostics(file)) {
    if (!reportsUnnecessary) continue;
    const fix = fixFor(service, source, { start: start!, length: length! }, code);
    if (!fix.some((change) => changes.some((other) => overlap(change.span, other.span))))
      changes.push(...fix);
  }
  const text = applied(source.text, changes);
  return text === source.text ? undefined : text;
}

function fixFor(
  service: ts.LanguageService,
  { fileName, text }: ts.SourceFile,
  { start, length }: ts.TextSpan,
  code: number,
): readonly ts.TextChange[] {
  const line = text.lastIndexOf('\n', start - 1) + 1;
  const registered = REGISTERED.exec(text.slice(line))?.[0];
  if (registered) return [{ span: { start: line, length: registered.length }, newText: '' }];
  const format = ts.getDefaultFormatCodeSettings();
  const fix = service
    .getCodeFixesAtPosition(fileName, start, start + length, [code], format, {})
    .find(({ fixName, description }) => fixName === 'unusedIdentifier' && description.startsWith('Remove'));
  return fix?.changes.find((change) => change.fileName === fileName)?.textChanges ?? [];
}

/** Fixes that touch are applied one after the other. */
const overlap = (a: ts.TextSpan, b: ts.TextSpan): boolean =>
  a.start <= b.start + b.length && b.start <= a.start + a.length;

const applied = (text: string, changes: readonly ts.TextChange[]): string =>
  changes
    .toSorted((a, b) => b.span.start - a.span.start)
    .reduce(
      (rest, { span, newText }) => rest.slice(0, span.start) + newText + rest.slice(span.start + span.length),
      text,
    );
