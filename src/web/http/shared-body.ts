/**
 * A body that does not change: made when it is first asked for, and shared by all answers. A client that asks for it a
 * thousand times and reads nothing costs no more than one that reads.
 */
export function sharedBody(make: () => string | Buffer): () => Buffer {
  let body: Buffer | undefined;
  return () => {
    if (!body) {
      const made = make();
      body = typeof made === 'string' ? Buffer.from(made) : made;
    }
    return body;
  };
}
