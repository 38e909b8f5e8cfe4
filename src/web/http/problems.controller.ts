import { Controller, Get, Header, Inject, Injectable, Param } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { RouteTable } from '../../auth/route-table.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { sharedBody } from './shared-body.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { allProblems, findProblem, type ProblemKind } from '../../platform/problems/problem.js';

const HTML = 'text/html; charset=utf-8';

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const page = ({ slug, status, title, about }: ProblemKind, docs: boolean) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1.125rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem; color: #1a1a1a; background: #fff }
  h1 { line-height: 1.2 } code { font-size: 0.95em }
  nav { margin-top: 3rem; font-size: 0.95rem } nav a { white-space: nowrap } a { color: #0b57d0 }
  @media (prefers-color-scheme: dark) { body { color: #eee; background: #16181c } a { color: #8ab4f8 } }
</style>
</head>
<body>
<main>
<p><code>${status} ${slug}</code></p>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(about)}</p>
</main>
<nav>${docs ? '<p><a href="../docs">API reference</a></p>' : ''}<p>All problems: ${allProblems()
  .map((kind) => `<a href="${kind.slug}">${kind.slug}</a>`)
  .join(' · ')}</p></nav>
</body>
</html>
`;

/** Explains each problem on a page. The `type` of a problem is its URL. */
@ApiTags('server')
@Controller('problems')
export class ProblemsController {
  readonly #pages = new Map<ProblemKind, () => Buffer>();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get(':slug')
  @Public()
  @Header('Content-Type', HTML)
  @ApiOperation({ summary: 'Explain a problem' })
  @ApiParam({ name: 'slug', description: 'The last segment of the `type`', schema: { type: 'string' } })
  @ApiProduces('text/html')
  @ApiResponse({
    status: 200,
    description: 'An HTML page',
    content: { 'text/html': { schema: { type: 'string' } } },
  })
  explain(@Param('slug') slug: string): Buffer {
    const kind = findProblem(slug);
    if (!kind) throw new NotFoundError('Not found.');
    return this.#pageOf(kind)();
  }

  #pageOf(kind: ProblemKind): () => Buffer {
    const made = this.#pages.get(kind) ?? sharedBody(() => page(kind, this.config.DOCS));
    this.#pages.set(kind, made);
    return made;
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    problemPages: Pick<ProblemPages, 'path'>;
  }
}

/** The path of these pages in the router. */
@Injectable()
export class ProblemPages {
  #path: string | undefined;

  constructor(private readonly routes: RouteTable) {}

  get path(): string {
    return (this.#path ??= this.routes.pathOf(ProblemsController, 'explain').replace('/:slug', ''));
  }
}
