import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { sharedBody } from '../../web/http/shared-body.js';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Confirm your address</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1.5rem; color: #1a1a1a; background: #fff }
  h1 { line-height: 1.2 } p { text-wrap: balance }
  button, input { font: inherit; padding: .4rem .8rem } input { display: block; width: 100%; box-sizing: border-box; margin: .3rem 0 1rem }
  @media (prefers-color-scheme: dark) { body { color: #eee; background: #16181c } }
</style>
</head>
<body>
<main>
<h1>Confirm your address</h1>
<p role="status" id="status">Did you register here? If you did, confirm your address. If you did not, close this page.</p>
<label id="password-field" hidden>New password <input type="password" id="password" autocomplete="new-password"></label>
<button type="button" id="confirm">Confirm</button>
<noscript><p>This page needs JavaScript to send the token of the link.</p></noscript>
</main>
<script src="verify.js"></script>
</body>
</html>
`;

// The token stays in the fragment until a person presses the button: programs that scan mails open pages and run their
// scripts. It leaves the address bar at once.
const SCRIPT = `const byId = (id) => document.getElementById(id);
const status = byId('status');
const button = byId('confirm');
const field = byId('password-field');
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);

const end = (text) => {
  status.textContent = text;
  button.hidden = field.hidden = true;
};
const askPassword = (fault) => {
  status.textContent = field.hidden ? 'Choose the new password of your account.' : 'The password ' + fault + '.';
  field.hidden = false;
};
const send = () => fetch('v1/email-verifications', {
  method: 'PUT',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(field.hidden ? { token } : { token, newPassword: byId('password').value }),
});
const show = async (answer) => {
  if (answer.ok) return end('Thank you. Your address is confirmed, and you can sign in.');
  if (answer.status >= 500) throw new Error(answer.status);
  const problem = await answer.json();
  if (problem.type.endsWith('/already-confirmed'))
    return end('Your address is already confirmed, and you can sign in.');
  const password = problem.errors?.find(({ pointer }) => pointer === '/newPassword');
  if (password) return askPassword(password.detail);
  end('This link is not valid any more. Ask for a new mail.');
};
button.onclick = async () => {
  button.disabled = true;
  try {
    await show(await send());
  } catch {
    status.textContent = 'The server cannot be reached. Try again.';
  }
  button.disabled = false;
};
if (!token) end('Open the link in the mail again: it contains the token that this page needs.');
`;

const page = sharedBody(() => PAGE);
const script = sharedBody(() => SCRIPT);

/** Where the link in the mail leads. */
@ApiExcludeController()
@Controller()
export class VerifyPageController {
  @Get('verify')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): Buffer {
    return page();
  }

  @Get('verify.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): Buffer {
    return script();
  }
}
