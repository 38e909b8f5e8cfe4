import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { STYLESHEET, stylesheet } from './html-page.js';

/** Pages refer to a file by the version of its content, so a browser can keep it. */
export const CACHED_VERSION = 'public, max-age=31536000, immutable';

@ApiExcludeController()
@Controller()
export class PagesController {
  @Get(STYLESHEET)
  @Public()
  @Header('Content-Type', 'text/css; charset=utf-8')
  @Header('Cache-Control', CACHED_VERSION)
  stylesheet(): Buffer {
    return stylesheet();
  }
}
