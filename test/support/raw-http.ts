import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly problem: string | undefined;
}

export interface RawRequest {
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Sends the body without saying how long it is. */
  chunked?: boolean;
}

const answerOf = (status: number, headers: IncomingHttpHeaders, text: string): RawAnswer => ({
  status,
  headers,
  text,
  problem: headers['content-type']?.startsWith('application/problem+json')
    ? text && (JSON.parse(text) as { type: string }).type.replace('/problems/', '')
    : undefined,
});

/** Unlike fetch, sends any method, path and header as they are. */
export const send = (
  url: string,
  method: string,
  path: string,
  { headers = {}, body, chunked }: RawRequest = {},
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body === undefined || chunked ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const request = httpRequest(
      { hostname, port, method, path, headers: { ...length, ...headers }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(answerOf(response.statusCode!, response.headers, text)));
      },
    );
    request.on('error', reject);
    request.end(body);
  });

/** Sends bytes on one connection, and resolves to all that comes back until the server closes it. */
export const pipeline = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    // The server hangs up on what it did not read to the end.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });

/** Sends bytes that need be no HTTP. */
export async function sendRaw(url: string, bytes: string): Promise<RawAnswer> {
  const received = await pipeline(url, bytes);
  const [head = '', text = ''] = received.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  return answerOf(Number(statusLine.split(' ')[1]), headers, text);
}
