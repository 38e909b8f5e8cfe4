import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/authenticated.decorator.js';
import { RouteTable } from '../../auth/route-table.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { INLINE_STYLES_CSP } from '../http/security.js';
import { HomePage } from '../pages/home-page.js';
import { sharedBody } from '../pages/shared-body.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { ApiReference } from './api-reference.js';
import { REFERENCE_SCRIPT } from './reference-script.js';
import { onOff } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

const settings = defineSettings({ DOCS: (production) => onOff.default(!production) });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

const UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const CACHED = 'public, max-age=86400';
const HTML = 'text/html; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** Files of the page. Its Content-Security-Policy allows only this server. */
const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': JAVASCRIPT,
  'favicon-32x32.png': 'image/png',
};

// Relative references, because the page can be under a prefix.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Auth modes: API reference</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const page = sharedBody(() => PAGE);
const start = sharedBody(() => REFERENCE_SCRIPT);
const assets = new Map(
  Object.entries(ASSETS).map(([file, type]) => [
    file,
    { type, body: sharedBody(() => readFileSync(join(UI, file))) },
  ]),
);

/** The API reference and its document. 404 if DOCS is off. */
@ApiTags('server')
@Controller()
export class OpenApiController {
  constructor(
    private readonly reference: ApiReference,
    private readonly routes: RouteTable,
    private readonly home: HomePage,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @ApiExcludeEndpoint()
  index(@Res({ passthrough: true }) reply: FastifyReply): Buffer | undefined {
    const { body } = this.home;
    if (body) {
      void reply.type(HTML);
      return body;
    }
    this.#requireDocs();
    void reply.code(302).header('Location', this.routes.pathOf(OpenApiController, 'page'));
    return undefined;
  }

  @Get('openapi.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'Get this document' })
  @ApiResponse({
    status: 200,
    description: 'OpenAPI 3.1',
    content: { 'application/json': { schema: { type: 'object' } } },
  })
  document(): Buffer {
    this.#requireDocs();
    return this.reference.document();
  }

  @Get('docs')
  @Public()
  @Header('Content-Type', HTML)
  @Header('Content-Security-Policy', INLINE_STYLES_CSP)
  @ApiExcludeEndpoint()
  page(): Buffer {
    this.#requireDocs();
    return page();
  }

  @Get('docs/start.js')
  @Public()
  @Header('Content-Type', JAVASCRIPT)
  @ApiExcludeEndpoint()
  script(): Buffer {
    this.#requireDocs();
    return start();
  }

  @Get('docs/:file')
  @Public()
  @ApiExcludeEndpoint()
  asset(@Param('file') file: string, @Res({ passthrough: true }) reply: FastifyReply): Buffer {
    this.#requireDocs();
    const asset = assets.get(file);
    if (!asset) throw new NotFoundError('Not found.');
    void reply.type(asset.type).header('Cache-Control', CACHED);
    return asset.body();
  }

  #requireDocs(): void {
    if (!this.config.DOCS) throw new NotFoundError('Not found.');
  }
}
