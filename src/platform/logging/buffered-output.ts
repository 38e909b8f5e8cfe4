import { type DestinationStream, pino } from 'pino';

const CHUNK = 65_536;
const INTERVAL_MS = 100;
/** Above this, such as after minutes without a reader of the log, lines are lost. */
const MAX_BYTES = 16_000_000;

/**
 * Standard output that writes many lines at once: at 64 kB, every 100 ms, after a fatal error, and at the end of the process.
 * A kill that no process can handle loses the lines of the last 100 ms. pino's own buffer measures itself for each line, so
 * it costs as much as a write.
 */
export class BufferedOutput implements DestinationStream {
  #lines = '';
  #timer: NodeJS.Timeout | undefined;
  #isLosing = false;
  #lost = 0;
  readonly #output;
  readonly #atEnd = pino.destination({ dest: 1, sync: true });

  constructor() {
    // Before pino adds its own listeners, which close the output.
    for (const end of ['beforeExit', 'exit'] as const) process.on(end, () => this.flushSync());
    this.#output = pino.destination({ dest: 1, sync: false, maxLength: MAX_BYTES });
    this.#output.on('drop', (dropped: string) => {
      this.#isLosing = true;
      this.#lost += dropped.split('\n').length - 1;
    });
    this.#output.on('drain', () => this.#tellLoss());
  }

  /** The lines that were dropped. */
  get lost(): number {
    return this.#lost;
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= CHUNK) this.#pass();
    else this.#timer ??= setTimeout(() => this.#pass(), INTERVAL_MS).unref();
  }

  /** pino calls it after a fatal error. */
  flushSync(): void {
    if ((this.#output as { destroyed?: boolean }).destroyed) return;
    this.#output.flushSync();
    // `#output` would start an asynchronous write, which a kill can end.
    this.#atEnd.write(this.#take());
  }

  /** Called when all lines are written. */
  #tellLoss(): void {
    if (!this.#isLosing) return;
    this.#isLosing = false;
    const msg = 'lines of the log were lost, because standard output was full';
    this.write(`${JSON.stringify({ level: 'error', time: new Date().toISOString(), msg })}\n`);
  }

  #pass(): void {
    this.#output.write(this.#take());
  }

  #take(): string {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    return lines;
  }
}
