export interface Place {
  /** Clients take turns. */
  readonly client: string;
  /** A place is given up when its connection is closed. */
  readonly connection: { readonly destroyed: boolean } | undefined;
  readonly enter: () => void;
  readonly giveUp: () => void;
}

/**
 * A bounded queue in which clients take turns, so that a client with many places does not delay the others. Places with
 * a closed connection are given up.
 */
export class FairQueue {
  /** In the order of turns. */
  readonly #clients = new Map<string, Place[]>();
  #size = 0;

  constructor(readonly limit: number) {}

  get size(): number {
    return this.#size;
  }

  /** Adds a place. If the queue is full, the client with the most places gives up its last one. */
  add(place: Place): void {
    if (this.#size >= this.limit) this.#sweep();
    const own = this.#clients.get(place.client) ?? [];
    if (this.#size >= this.limit) {
      const most = [...this.#clients.values()].reduce((a, b) => (b.length > a.length ? b : a));
      if (most.length <= own.length + 1) return place.giveUp();
      this.#size -= 1;
      most.pop()!.giveUp();
    }
    own.push(place);
    this.#clients.set(place.client, own);
    this.#size += 1;
  }

  /** Removes and returns the next place. */
  next(): Place | undefined {
    for (const [client, places] of this.#clients) {
      const place = places.shift()!;
      this.#size -= 1;
      // Moves the client behind all others.
      this.#clients.delete(client);
      if (places.length > 0) this.#clients.set(client, places);
      if (!place.connection?.destroyed) return place;
      place.giveUp();
    }
    return undefined;
  }

  #sweep(): void {
    for (const [client, places] of this.#clients) {
      const open = places.filter(({ connection }) => !connection?.destroyed);
      for (const place of places) if (place.connection?.destroyed) place.giveUp();
      this.#size -= places.length - open.length;
      if (open.length > 0) this.#clients.set(client, open);
      else this.#clients.delete(client);
    }
  }
}
