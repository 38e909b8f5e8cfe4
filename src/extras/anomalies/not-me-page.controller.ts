import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { linkPage } from '../../accounts/users/link-page.js';
import { Public } from '../../auth/authenticated.decorator.js';

const { html, script } = linkPage({
  title: 'Was this you?',
  question: 'If you do not know this sign-in, end it. If you do, close this page.',
  button: 'End this sign-in',
  script: 'not-me.js',
  request: { method: 'POST', path: 'v1/anomaly-reports' },
  texts: { done: 'The sign-in has ended. Check your email to set a new password.' },
});

/** The page that the link in the mail "Was this you?" opens. */
@ApiExcludeController()
@Controller()
export class NotMePageController {
  @Get('not-me')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): Buffer {
    return html();
  }

  @Get('not-me.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): Buffer {
    return script();
  }
}
