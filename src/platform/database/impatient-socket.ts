import { Socket } from 'node:net';

/** What the error of a connection says that was given up. */
export const SILENT = 'The database was silent for too long';

/**
 * A socket that is destroyed when nothing went over it for `limitMs`: behind a proxy that stalls, a connection can go
 * silent without an end. pg's own `query_timeout` gives up the query only, and the pool hands out the same connection
 * again, with the query stuck in it.
 */
export function impatientSocket(limitMs: number): Socket {
  const socket = new Socket().setTimeout(limitMs);
  // What setTimeout takes as a second argument is called once only.
  return socket.on('timeout', () => {
    const { bytesRead } = socket;
    // Where this process was held up itself, the answer has come meanwhile: it is read before this runs.
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) socket.destroy(new Error(SILENT));
    });
  });
}
