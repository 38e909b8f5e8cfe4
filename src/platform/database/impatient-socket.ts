import { Socket } from 'node:net';

/** The error message after a timeout. */
export const SILENT = 'The database did not answer in time';

/**
 * A socket that is destroyed after `limitMs` without traffic, such as behind a stalled proxy. pg's own `query_timeout`
 * only rejects the query. The pool then reuses the connection with the query stuck in it.
 */
export function impatientSocket(limitMs: number): Socket {
  const socket = new Socket().setTimeout(limitMs);
  // The callback of setTimeout is called only once, so this uses the event.
  return socket.on('timeout', () => {
    const { bytesRead } = socket;
    // If this process was blocked, the answer is waiting. It is read before this callback runs.
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) socket.destroy(new Error(SILENT));
    });
  });
}
