import { type Answer, RefusedError } from './client.js';
import { bytesOf, type Credential, type Desk, type Fact, type HeaderLine, type Lane } from './credential.js';
import { byId, element, onPress, within } from './dom.js';
import { explain, messageOf } from './explain.js';
import type { ExampleRoute } from './routes.js';

/** The section of one lane, with its buttons. */
export class LaneView {
  readonly #section: HTMLElement;
  readonly #end: HTMLButtonElement;
  credential: Credential | undefined;

  constructor(
    readonly lane: Lane,
    private readonly desk: Desk,
    private readonly route: () => ExampleRoute,
  ) {
    this.#section = byId(`lane-${lane.id}`);
    this.#end = this.#button('end');
    onPress(this.#button('get'), () => this.#try(() => this.get()));
    onPress(this.#button('call'), () => this.#try(() => this.call()));
    onPress(this.#end, () => this.#try(() => this.end()));
  }

  get title(): string {
    return within(this.#section, 'h3').textContent;
  }

  get isValid(): boolean {
    return this.#section.dataset['state'] === 'valid';
  }

  /** The credential was revoked, or replaced by another one. */
  forget(text: string): void {
    if (!this.credential) return;
    this.#section.dataset['state'] = 'revoked';
    this.#end.disabled = true;
    this.#show(element('p', {}, text));
  }

  async get(): Promise<Credential> {
    const credential = await this.lane.get(this.desk);
    this.credential = credential;
    this.#end.disabled = false;
    this.#section.dataset['state'] = 'valid';
    this.#showWire();
    this.#show(element('p', {}, 'Call a route with it.'));
    return credential;
  }

  /** Without a credential, the request carries none, or the cookie of an earlier visit. */
  async call(): Promise<void> {
    const { method, path, json } = this.route();
    const call = { method, path, ...(json && { json }) };
    const { lane, credential } = this;
    const answer = await (credential?.send(call) ?? this.desk.api.send({ ...call, cookies: lane.cookies }));
    if (credential) this.#showWire();
    this.#showAnswer(answer);
  }

  async end(): Promise<void> {
    if (!this.credential) return;
    const answer = await this.credential.end();
    if (answer.status < 400) this.forget('Revoked. Call again to see the refusal.');
    else this.#showAnswer(answer);
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof RefusedError) this.#showAnswer(error.answer);
      else this.#show(element('p', {}, messageOf(error)));
    }
  }

  #showWire(): void {
    const { lines, facts } = this.credential!;
    const always = sizeOf(lines().filter(({ when }) => when === undefined));
    const writing = sizeOf(lines());
    const size = `${always} bytes${writing > always ? `, ${writing} with a write` : ''}`;
    within(this.#section, '.wire').replaceChildren(
      element('pre', { tabindex: '0', 'aria-label': 'Header lines' }, ...lines().flatMap(showLine)),
      element('dl', {}, ...showFact(['On the wire', size]), ...facts().flatMap(showFact)),
    );
  }

  #showAnswer(answer: Answer): void {
    const { status, queries, ms } = answer;
    const isRefused = status >= 400;
    const numbers = [`${queries ?? '–'} ${queries === 1 ? 'query' : 'queries'}`, `${ms.toFixed(1)} ms`];
    const line = element(
      'p',
      { class: 'numbers' },
      element('b', { class: isRefused ? 'bad' : 'good' }, String(status)),
    );
    line.append(...numbers.map((text) => element('span', {}, text)));
    this.#show(line, ...(isRefused ? [explain(answer)] : []));
  }

  #show(...content: Node[]): void {
    within(this.#section, '.answer').replaceChildren(...content);
  }

  #button(name: string): HTMLButtonElement {
    return within(this.#section, `[data-do="${name}"]`, HTMLButtonElement);
  }
}

const sizeOf = (lines: readonly HeaderLine[]): number => lines.reduce((sum, line) => sum + bytesOf(line), 0);

const showLine = ({ name, value, when }: HeaderLine): (Node | string)[] => [
  element('b', {}, `${name}:`),
  ` ${value}\n`,
  ...(when ? [element('i', {}, `(${when})\n`)] : []),
];

function showFact([label, value]: Fact): HTMLElement[] {
  const shown =
    typeof value === 'string'
      ? value
      : element('pre', { tabindex: '0', 'aria-label': label }, JSON.stringify(value, null, 1));
  return [element('dt', {}, label), element('dd', {}, shown)];
}
