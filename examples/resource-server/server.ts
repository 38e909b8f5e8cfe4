import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type Caller, IssuerUnavailable, TokenRefused, type Verify } from './verify.js';

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

/** All routes with the scope that each needs. */
const ROUTES: ReadonlyMap<string, { scope: string; handle(caller: Caller): Answer }> = new Map([
  ['GET /shipments', { scope: 'orders:read', handle: ({ subject }) => ok({ of: subject, items: [] }) }],
  [
    'POST /shipments',
    { scope: 'orders:write', handle: ({ subject }) => ok({ of: subject, accepted: true }) },
  ],
]);

const BEARER = /^Bearer +([\w~+/.-]+=*)$/i;
const REALM = 'Bearer realm="shipments"';

/** A service without users and database: it trusts access tokens that the issuer made for it. */
export const createResourceServer = (verify: Verify): Server =>
  createServer((request, response) => {
    void answer(request, verify)
      .catch((error: unknown) => {
        console.error(error);
        return problem(500, 'Something went wrong');
      })
      .then(({ status, body, headers }) => {
        const text = JSON.stringify(body);
        response.writeHead(status, {
          'Content-Type': status < 400 ? 'application/json' : 'application/problem+json',
          'Content-Length': Buffer.byteLength(text),
          'Cache-Control': 'no-store',
          ...headers,
        });
        response.end(text);
      });
  });

async function answer(request: IncomingMessage, verify: Verify): Promise<Answer> {
  const route = ROUTES.get(`${request.method} ${request.url}`);
  if (!route) return problem(404, 'Not found');
  // `headersDistinct`, because `headers` has only the first of several Authorization headers.
  const [header, ...more] = request.headersDistinct['authorization'] ?? [];
  if (header === undefined) return challenge(401, 'A bearer token is required');
  const token = more.length === 0 ? BEARER.exec(header)?.[1] : undefined;
  try {
    if (token === undefined) throw new TokenRefused('not one bearer token');
    const caller = await verify(token);
    if (!caller.scopes.has(route.scope)) {
      const { scope } = route;
      return challenge(403, `The scope ${scope} is missing`, { error: 'insufficient_scope', scope });
    }
    return route.handle(caller);
  } catch (error) {
    if (error instanceof TokenRefused)
      return challenge(401, 'The token is not valid for this service', { error: 'invalid_token' });
    if (error instanceof IssuerUnavailable)
      return problem(503, 'Tokens cannot be verified now', { 'Retry-After': '5' });
    throw error;
  }
}

const ok = (body: object): Answer => ({ status: 200, body });

/** RFC 9457. */
const problem = (status: number, title: string, headers: Record<string, string> = {}): Answer => ({
  status,
  body: { type: 'about:blank', title, status },
  headers,
});

/** RFC 6750 section 3. */
function challenge(status: number, title: string, parameters: Record<string, string> = {}): Answer {
  const pairs = Object.entries(parameters).map(([name, value]) => `, ${name}="${value}"`);
  return problem(status, title, { 'WWW-Authenticate': REALM + pairs.join('') });
}
