import { AsyncLocalStorage } from 'node:async_hooks';

/** Request context, available in all code. Rooms add fields by declaration merging. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** The header Cookie. */
  readonly cookie: string | undefined;
  /** The socket of the request. If it is destroyed, the client no longer waits for the answer. */
  readonly connection: { readonly destroyed: boolean };
  /** The ids of the verified principal, for the log. */
  facts?: object;
}

const storage = new AsyncLocalStorage<RequestContext>();
/** Socket events at the end of a request have no asynchronous context, so hooks find it by the request. */
const contexts = new WeakMap<object, RequestContext>();

/** @param request the Fastify request */
export function runInRequest(request: object, context: RequestContext, work: () => void): void {
  contexts.set(request, context);
  storage.run(context, work);
}

/** The context of the current request. Undefined in a command or timer. */
export const requestContext = (): RequestContext | undefined => storage.getStore();

/** Runs work that a request starts for others, such as a queue. It has no request context. */
export const outsideRequests = <T>(work: () => T): T => storage.exit(work);

/** The context of a Fastify request, available until the response has been sent. */
export const contextOf = (request: object): RequestContext | undefined => contexts.get(request);
