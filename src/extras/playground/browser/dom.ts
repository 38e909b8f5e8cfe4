type Kind<E extends Element> = new () => E;

/** The element with an id. @throws if the page has none, because page and script belong together */
export function byId(id: string): HTMLElement;
export function byId<E extends Element>(id: string, kind: Kind<E>): E;
export function byId(id: string, kind: Kind<Element> = HTMLElement): Element {
  return within(document, `#${id}`, kind);
}

/** The first element inside another one. @throws */
export function within(parent: ParentNode, selector: string): HTMLElement;
export function within<E extends Element>(parent: ParentNode, selector: string, kind: Kind<E>): E;
export function within(parent: ParentNode, selector: string, kind: Kind<Element> = HTMLElement): Element {
  const found = parent.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

type Child = Node | string;

/** An element with text and children. Texts are never read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Runs work when a button is pressed. Meanwhile the button is busy, and further presses do nothing. */
export function onPress(button: HTMLElement, work: () => Promise<void>): void {
  button.addEventListener('click', () => void once(button, work));
}

/** The same for a form, also by Enter in a field. */
export function onSubmit(form: HTMLFormElement, work: () => Promise<void>): void {
  const button = within(form, '[type=submit]');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void once(button, work);
  });
}

// Not `disabled`: a disabled button loses the focus of the keyboard.
async function once(control: HTMLElement, work: () => Promise<void>): Promise<void> {
  if (control.getAttribute('aria-busy') === 'true') return;
  control.setAttribute('aria-busy', 'true');
  try {
    await work();
  } finally {
    control.removeAttribute('aria-busy');
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
