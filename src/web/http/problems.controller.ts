import { Controller, Get, Header, Inject, Injectable, Param } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { RouteTable } from '../../auth/route-table.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { escapeHtml, htmlPage } from '../pages/html-page.js';
import { sharedBody } from '../pages/shared-body.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { allProblems, findProblem, type ProblemKind } from '../../platform/problems/problem.js';

const HTML = 'text/html; charset=utf-8';

const page = ({ slug, status, title, about }: ProblemKind, docs: boolean) =>
  htmlPage({
    title,
    root: '../',
    body: `<main>
<p><code>${status} ${slug}</code></p>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(about)}</p>
</main>
<nav aria-label="Problems">${docs ? '<p><a href="../docs">API reference</a></p>' : ''}<p>All problems: ${allProblems()
      .map((kind) => `<a href="${kind.slug}">${kind.slug}</a>`)
      .join(' · ')}</p></nav>`,
  });

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
