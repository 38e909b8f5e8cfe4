import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { linkPage, PASSWORD_FIELD } from './link-page.js';

const { html, script } = linkPage({
  title: 'Confirm your address',
  question:
    'If you registered here or asked to use this address, confirm it. If you did not, close this page.',
  fields: PASSWORD_FIELD(' hidden'),
  button: 'Confirm',
  script: 'verify.js',
  request: { method: 'PUT', path: 'v1/email-verifications' },
  texts: {
    done: 'Thank you. Your address is confirmed. You can sign in now.',
    'already-confirmed': 'Your address is already confirmed. You can sign in.',
  },
});

/** The page that the link in the mail opens. */
@ApiExcludeController()
@Controller()
export class VerifyPageController {
  @Get('verify')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): Buffer {
    return html();
  }

  @Get('verify.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): Buffer {
    return script();
  }
}
