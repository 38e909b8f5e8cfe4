import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../auth/authenticated.decorator.js';

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
  @media (prefers-color-scheme: dark) { body { color: #eee; background: #16181c } }
</style>
</head>
<body>
<main>
<h1>Confirm your address</h1>
<p role="status" id="status">One moment…</p>
<noscript><p>This page needs JavaScript to send the token of the link.</p></noscript>
</main>
<script src="verify.js"></script>
</body>
</html>
`;

// The token stays in the fragment until the page posts it, and leaves the address bar at once.
const SCRIPT = `const status = document.getElementById('status');
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const unreachable = 'The server cannot be reached. Open the link of the mail once more.';
const outcome = ({ ok, status }) => {
  if (ok) return 'Thank you. Your address is confirmed, and you can sign in.';
  return status < 500 ? 'This link is not valid any more. Ask for a new mail.' : unreachable;
};
const confirm = () => fetch('v1/email-verifications', {
  method: 'PUT',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ token }),
}).then(outcome, () => unreachable);
(token ? confirm() : Promise.resolve('Open the link of the mail: it brings what is to be confirmed.'))
  .then((text) => { status.textContent = text; });
`;

/** Where the link in the mail leads. */
@ApiExcludeController()
@Controller()
export class VerifyPageController {
  @Get('verify')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('verify.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }
}
