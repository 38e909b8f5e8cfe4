import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../platform/crypto/secret.js';
import { sharedBody } from './shared-body.js';

/** A page of this server. It has the look of `pages.css`. */
interface HtmlPage {
  readonly title: string;
  /** The way from the page to the root, such as `../`. References are relative, because a page can be under a prefix. */
  readonly root: '' | '../';
  /** The content of `<body>`, in HTML. */
  readonly body: string;
  /** Further content of `<head>`, in HTML. */
  readonly head?: string;
}

export const STYLESHEET = 'pages.css';

export const stylesheet = sharedBody(() => readFileSync(join(import.meta.dirname, STYLESHEET)));

/** A version for the URL of a file. It changes with the content, so browsers can keep the file. */
export const versionOf = (content: string): string => sha256Hex(content).slice(0, 16);

let version: string | undefined;

export const stylesheetVersion = (): string => (version ??= versionOf(String(stylesheet())));

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** @param page its title is a text, and its other parts are HTML */
export const htmlPage = ({ title, root, body, head = '' }: HtmlPage): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}${STYLESHEET}?v=${stylesheetVersion()}">
${head}</head>
<body>
${body}
</body>
</html>
`;
