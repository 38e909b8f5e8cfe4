/** A message to the other tabs of the origin. They could get an access token with the cookie themselves. */
export type Message<Access> =
  { readonly event: 'refreshed' | 'signed-in'; readonly access: Access } | { readonly event: 'signed-out' };

/** The part of the Web Locks API that is used here, because not every list of types has it. */
interface Locks {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean },
    work: (lock: object | null) => Promise<T>,
  ): Promise<T>;
}

/** How long a message can take after the other tab has released the lock. */
const MESSAGE_MS = 1_000;

/** The tabs of a browser that share one refresh cookie. Without Web Locks, each tab refreshes for itself. */
export class Tabs<Access> {
  readonly #locks = (globalThis as unknown as { navigator?: { locks?: Locks } }).navigator?.locks;
  readonly #channel: InstanceType<typeof BroadcastChannel>;
  #heard: (() => void)[] = [];

  constructor(
    private readonly name: string,
    listen: (message: Message<Access>) => void,
  ) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener('message', (event: unknown) => {
      listen((event as { data: Message<Access> }).data);
      for (const resolve of this.#heard.splice(0)) resolve();
    });
  }

  tell(message: Message<Access>): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches its own origin only
    this.#channel.postMessage(message);
  }

  /**
   * Refreshes while no other tab does. If another tab was already refreshing, its result is taken instead.
   * @param taken what another tab has told, if it is newer
   */
  async once(refresh: () => Promise<Access>, taken: () => Access | undefined): Promise<Access> {
    if (!this.#locks) return refresh();
    const first = await this.#locks.request(this.name, { ifAvailable: true }, async (lock) =>
      lock ? { access: taken() ?? (await refresh()) } : undefined,
    );
    if (first) return first.access;
    return this.#locks.request(this.name, {}, async () => {
      if (!taken()) await this.#message();
      return taken() ?? refresh();
    });
  }

  /** Does something that sets the cookie while no tab refreshes: a late answer would replace the new cookie. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#locks ? this.#locks.request(this.name, {}, work) : work();
  }

  close(): void {
    this.#channel.close();
  }

  #message(): Promise<void> {
    return new Promise((resolve) => {
      this.#heard.push(resolve);
      setTimeout(resolve, MESSAGE_MS);
    });
  }
}
