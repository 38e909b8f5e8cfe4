/**
 * A static body, created on first use and shared by all answers. A client that requests it a thousand times without
 * reading does not multiply its memory.
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
