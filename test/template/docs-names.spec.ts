import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import '../../src/app.js';
import { settingNames } from '../../src/platform/config/settings.js';
import { findProblem } from '../../src/platform/problems/problem.js';
import { useServer } from '../support/server.js';
import { all, codeIn, documents, filesIn, manifest, pages, read } from './pages.js';

/** Routes and files of the example project, of pages that a recipe adds, and of the other service of the examples. */
const OF_OTHERS =
  /invoices|payments|avatar|webhooks|billing|contact|shipments|^\/(orders|sign-in)$|[<…*]|\.\.\.|^test\/probes$/;

describe('a route that a document names', () => {
  const context = useServer();
  let routes: string[];
  beforeAll(async () => {
    routes = (await context.server.routes()).map(
      ({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`,
    );
  });
  const pathOf = (text: string) => text.replace(/[?#].*/, '').replaceAll(/(:\w+|\{\w+\}|<\w+>)/g, ':');

  it.each(documents)('of %s has that method and path', (path) => {
    const page = pages.get(path)!;
    const named = [
      ...all(page, /\b(GET|POST|PUT|PATCH|DELETE) (\/[\w./:{}<>?=&-]*)/g),
      ...codeIn(page).flatMap((code) =>
        all(code, /^()(\/(?:v1|oauth|health|\.well-known)\/[\w./:{}<>-]*)$/g),
      ),
    ].filter(([, route]) => !OF_OTHERS.test(route!));
    const missing = named.filter(
      ([method, route]) =>
        !routes.some((known) =>
          method ? known === `${method} ${pathOf(route!)}` : known.endsWith(` ${pathOf(route!)}`),
        ),
    );
    expect(missing).toEqual([]);
  });
});

describe('a problem that a document names', () => {
  it.each(documents)('of %s exists and has that status', (path) => {
    const named = [
      ...all(pages.get(path)!, /\b([45]\d\d) `([a-z][a-z-]+)`/g),
      ...all(pages.get(path)!, /()\/problems\/([a-z][a-z-]+)/g),
    ];
    expect(
      named.filter(([status, slug]) => {
        const problem = findProblem(slug!);
        return !problem || (status !== '' && problem.status !== Number(status));
      }),
    ).toEqual([]);
  });
});

describe('a variable that a document names', () => {
  let code: string;
  beforeAll(async () => {
    const files = await filesIn('.', /\.[mc]?[jt]s$|\.sh$|^\.ci\/|\.ya?ml$/);
    code = (await Promise.all(files.map(read))).join('\n');
  });

  it.each(documents)('of %s is a setting, or a name in the code', (path) => {
    const named = codeIn(pages.get(path)!).flatMap((text) =>
      all(text, /^([A-Z][A-Z\d]*(?:_[A-Z\d]+)+)(?:=.*)?$/g),
    );
    const settings = new Set(settingNames());
    const missing = named.filter(([name]) => !settings.has(name!) && !new RegExp(`\\b${name}\\b`).test(code));
    expect(missing).toEqual([]);
  });
});

describe('a command that a document names', () => {
  it.each(documents)('of %s is a script', (path) => {
    const named = all(pages.get(path)!, /\bnpm run (?:-s |--silent )?([a-z][\w:-]*)/g);
    expect(named.filter(([name]) => !Object.hasOwn(manifest.scripts, name!))).toEqual([]);
  });
});

describe('a file that a document names', () => {
  it.each(documents)('of %s exists', (path) => {
    const named = codeIn(pages.get(path)!).filter(
      (code) =>
        /^(?:src|test|tools|docs|migrations|examples|scripts)\/[\w./-]+$/.test(code) && !OF_OTHERS.test(code),
    );
    expect(named.filter((file) => !existsSync(file))).toEqual([]);
  });
});
