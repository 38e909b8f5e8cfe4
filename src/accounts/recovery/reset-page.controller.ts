import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { linkPage, PASSWORD_FIELD } from '../users/link-page.js';

const { html, script } = linkPage({
  title: 'Set a new password',
  question: 'Choose a new password for your account. Every sign-in of the account ends.',
  fields: `${PASSWORD_FIELD('')}
<label id="revoke-field"><input type="checkbox" id="revoke"> Revoke all my API keys</label>`,
  button: 'Set password',
  script: 'reset.js',
  request: { method: 'PUT', path: 'v1/password-resets' },
  texts: { done: 'Your new password is set. You can sign in now.' },
});

/** The page that the link in the mail opens. */
@ApiExcludeController()
@Controller()
export class ResetPageController {
  @Get('reset')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): Buffer {
    return html();
  }

  @Get('reset.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): Buffer {
    return script();
  }
}
