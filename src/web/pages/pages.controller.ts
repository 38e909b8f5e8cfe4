import { Controller, Get, Header, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { STYLESHEET, stylesheet, stylesheetVersion } from './html-page.js';

/** Pages refer to a file by the version of its content, so a browser can keep it. */
export const CACHED_VERSION = 'public, max-age=31536000, immutable';

const Version = z.object({ v: z.string().optional() });

@ApiExcludeController()
@Controller()
export class PagesController {
  @Get(STYLESHEET)
  @Public()
  @Header('Content-Type', 'text/css; charset=utf-8')
  stylesheet(
    @Query({ schema: Version }) { v }: z.infer<typeof Version>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Buffer {
    if (v === stylesheetVersion()) void reply.header('Cache-Control', CACHED_VERSION);
    return stylesheet();
  }
}
