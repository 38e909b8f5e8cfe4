import { htmlPage } from '../../web/pages/html-page.js';
import { sharedBody } from '../../web/pages/shared-body.js';

/** A page behind the link in a mail: a person presses its button, and its script sends the token. */
interface LinkPage {
  readonly title: string;
  /** What the person decides. */
  readonly question: string;
  readonly button: string;
  /** The file name of the script. */
  readonly script: string;
  /** Inputs in HTML. A field `password-field` that is hidden appears when the server asks for a password. */
  readonly fields?: string;
  readonly request: { readonly method: 'POST' | 'PUT'; readonly path: string };
  /** The text for success, and for problems by their slugs. */
  readonly texts: { readonly done: string } & Readonly<Record<string, string>>;
}

export const PASSWORD_FIELD = (hidden: '' | ' hidden') =>
  `<label id="password-field"${hidden}>New password <input type="password" id="password" autocomplete="new-password"></label>`;

/** Returns the page and its script. */
export const linkPage = (page: LinkPage) => ({
  html: sharedBody(() => htmlOf(page)),
  script: sharedBody(() => scriptOf(page)),
});

const htmlOf = ({ title, question, fields, button, script }: LinkPage) =>
  htmlPage({
    title,
    root: '',
    body: `<main>
<h1>${title}</h1>
<p role="status" id="status">${question}</p>
<form id="form" method="post">
${fields ? `${fields}\n` : ''}<button id="confirm">${button}</button>
</form>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>
<script src="${script}"></script>`,
  });

// A form, so that a password manager offers to keep the password. Its own request is blocked by the policy of the page.
// The page sends the token only when a person presses the button, because mail scanners open links and run scripts.
// The script removes the token from the address bar at once.
const scriptOf = ({ request: { method, path }, texts }: LinkPage) => `const texts = ${JSON.stringify(texts)};
const byId = (id) => document.getElementById(id);
const status = byId('status');
const button = byId('confirm');
const password = byId('password-field');
const revoke = byId('revoke-field');
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);

const end = (text) => {
  status.textContent = text;
  for (const part of [button, password, revoke]) if (part) part.hidden = true;
};
const askPassword = (fault) => {
  status.textContent = password.hidden ? 'Choose a new password for your account.' : 'The password ' + fault + '.';
  password.hidden = false;
};
const body = () => ({
  token,
  ...(password && !password.hidden && { newPassword: byId('password').value }),
  ...(revoke && { revokeApiKeys: byId('revoke').checked }),
});
const send = () => fetch('${path}', {
  method: '${method}',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body()),
});
const show = async (answer) => {
  if (answer.ok) return end(texts.done);
  if (answer.status >= 500) throw new Error(answer.status);
  const problem = await answer.json();
  const fault = problem.errors?.find(({ pointer }) => pointer === '/newPassword');
  if (fault) return askPassword(fault.detail);
  end(texts[problem.type.split('/').pop()] ?? 'This link is no longer valid. Request a new mail.');
};
byId('form').onsubmit = async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    await show(await send());
  } catch {
    status.textContent = 'The server could not be reached. Try again.';
  }
  button.disabled = false;
};
if (!token) end('Open the link in the mail again. This page needs the token in the link.');
`;
