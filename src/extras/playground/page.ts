import type { Config } from '../../platform/config/config.js';
import { htmlPage } from '../../web/pages/html-page.js';
import { PAGE, playgroundModules, playgroundVersion } from './files.js';
import { lanes, raceRows } from './lanes.js';
import { accountSection, dialog, raceSection } from './sections.js';
// room: mfa
import { factorsSection } from './sections.js';
// /room
// room: tokens
import { refreshSection } from './sections.js';
// /room

const FURTHER: readonly string[] = [
  // room: tokens
  refreshSection,
  // /room
  // room: mfa
  factorsSection,
  // /room
];

/** The page at `/`. Its script fills it. All sections are in it from the start, so that nothing moves. */
export function playgroundPage({ production, DOCS }: Pick<Config, 'production' | 'DOCS'>): string {
  const folder = `playground/${playgroundVersion()}`;
  return htmlPage({
    title: 'Playground',
    root: '',
    head: `<link rel="stylesheet" href="${folder}/${PAGE}/playground.css">
${playgroundModules()
  .map((path) => `<link rel="modulepreload" href="${folder}/${path}">\n`)
  .join('')}<script type="module" src="${folder}/${PAGE}/main.js"></script>
`,
    body: `<header>
<h1>Playground</h1>
<p>Get a credential, see how it travels, call a route with it, and revoke it.${DOCS ? ' The <a href="docs">API reference</a> has all routes.' : ''}</p>
</header>
<main class="wide">
<noscript><p>This page needs JavaScript.</p></noscript>
${[accountSection(!production), lanes(), raceSection(raceRows()), ...FURTHER].join('\n')}
</main>
${dialog}`,
  });
}
