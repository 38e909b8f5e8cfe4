import { byId, within } from './dom.js';

/** The size of the drawing, in its own units. */
const WIDTH = 400;
const HEIGHT = 20;
const TICK = 2.5;
const SVG = 'http://www.w3.org/2000/svg';

export type Mark = 'accepted' | 'refused' | 'waiting' | 'asking';

/** One row of a table with time from left to right. The text in the row says the same as the drawing. */
export class Track {
  readonly #row: HTMLElement;
  readonly #svg: SVGSVGElement;

  /** @param from the time at the left edge, in milliseconds */
  constructor(
    id: string,
    private readonly from: number,
    private readonly to: number,
  ) {
    this.#row = byId(id);
    this.#svg = within(this.#row, 'svg', SVGSVGElement);
  }

  clear(): void {
    this.#svg.replaceChildren();
    this.result = '–';
  }

  set result(text: string) {
    within(this.#row, '.result').textContent = text;
  }

  /** Draws a vertical line. */
  line(time: number): void {
    const x = this.#x(time).toFixed(2);
    this.#draw('line', { x1: x, x2: x, y1: '0', y2: String(HEIGHT) });
  }

  /** Marks a moment, or a span. What is outside of the track is not drawn. */
  mark(kind: Mark, start: number, end?: number): void {
    if (start < this.from || start > this.to) return;
    const width = end === undefined ? TICK : Math.max(TICK, this.#x(Math.min(end, this.to)) - this.#x(start));
    const height = kind === 'refused' || kind === 'waiting' ? HEIGHT / 4 : HEIGHT;
    const shape = { x: this.#x(start), y: HEIGHT - height, width, height };
    const numbers = Object.entries(shape).map(([name, value]) => [name, value.toFixed(2)] as const);
    this.#draw('rect', { class: kind, ...Object.fromEntries(numbers) });
  }

  #draw(name: string, attributes: Readonly<Record<string, string>>): void {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    this.#svg.append(shape);
  }

  #x(time: number): number {
    return ((time - this.from) / (this.to - this.from)) * WIDTH;
  }
}
