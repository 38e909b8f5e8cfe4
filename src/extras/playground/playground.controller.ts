import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/authenticated.decorator.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { CACHED_VERSION } from '../../web/pages/pages.controller.js';
import { playgroundFile, playgroundVersion } from './files.js';

/** The script and the stylesheet of the page at `/`. */
@ApiExcludeController()
@Controller('playground')
export class PlaygroundController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  // During an update, another node can ask for its own version: no cache must keep this file for it. Modules import each other by relative paths, so it is a folder and not a query.
  @Get(':version/*')
  @Public()
  file(
    @Param('version') version: string,
    @Param('*') path: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Buffer {
    const file = this.config.PLAYGROUND ? playgroundFile(path) : undefined;
    if (!file) throw new NotFoundError('Not found.');
    void reply.type(file.type);
    if (version === playgroundVersion()) void reply.header('Cache-Control', CACHED_VERSION);
    return file.body;
  }
}
