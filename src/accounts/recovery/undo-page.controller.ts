import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { linkPage } from '../users/link-page.js';

const { html, script } = linkPage({
  title: 'Undo the change of your address',
  question:
    'If you did not change the email address of your account, undo the change. If you did, close this page.',
  button: 'Undo',
  script: 'undo.js',
  request: { method: 'POST', path: 'v1/email-changes/undo' },
  texts: {
    done: 'Your account has its old address again, and every sign-in has ended. Check your email to set a new password.',
    'address-taken':
      'Another account of yours has this address now. Delete that account or change its address, and use the link again.',
  },
});

/** The page that the link in the mail to the old address opens. */
@ApiExcludeController()
@Controller()
export class UndoPageController {
  @Get('undo')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): Buffer {
    return html();
  }

  @Get('undo.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): Buffer {
    return script();
  }
}
