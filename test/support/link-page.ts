import { createContext, runInContext } from 'node:vm';
import { expect } from '@jest/globals';

/** Opens the page behind a link in a mail, and runs its script as a browser does. */
export async function openLinkPage(
  server: string,
  path: string,
  fragment: string,
  fetchOf: typeof fetch = fetch,
) {
  const read = async (url: string) => (await fetch(server + url)).text();
  const [html, script] = [await read(path), await read(`${path}.js`)];
  const status = { textContent: 'unchanged' };
  const field = { hidden: html.includes('id="password-field" hidden') };
  const password = { value: '' };
  const revoke = { checked: false };
  const button = { hidden: false, disabled: false };
  const form = { onsubmit: async (_event: { preventDefault: () => void }) => undefined };
  const elements: Record<string, object> = {
    status,
    'password-field': field,
    password,
    'revoke-field': { hidden: false },
    revoke,
    confirm: button,
    form,
  };
  const visited: string[] = [];
  const requests: unknown[] = [];
  const page = {
    document: { getElementById: (id: string) => (html.includes(`id="${id}"`) ? elements[id] : null) },
    location: { hash: fragment, pathname: path },
    history: { replaceState: (_state: null, _title: string, url: string) => visited.push(url) },
    fetch: (to: string, init: RequestInit) => {
      requests.push(init.body);
      return fetchOf(new URL(to, server + path).href, init);
    },
  };
  runInContext(script, createContext(page));
  // Before a person does anything.
  expect(visited).toEqual([path]);
  const press = async () => {
    let isPrevented = false;
    await form.onsubmit({ preventDefault: () => (isPrevented = true) });
    expect(isPrevented).toBe(true);
    return status.textContent;
  };
  return { status, field, password, revoke, button, requests, press };
}
