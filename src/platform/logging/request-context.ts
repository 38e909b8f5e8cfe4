import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request under way, wherever the code is. A room that knows more adds it by declaration merging. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Where the answer goes. Once it is destroyed, nobody waits for the answer any more. */
  readonly connection: { readonly destroyed: boolean };
  /** Who makes the request, for the log, once the credential is verified. */
  facts?: object;
}

const storage = new AsyncLocalStorage<RequestContext>();
/** The end of a request comes from its socket, where no asynchronous context leads to. */
const contexts = new WeakMap<object, RequestContext>();

/** @param request of Fastify */
export function runInRequest(request: object, context: RequestContext, work: () => void): void {
  contexts.set(request, context);
  storage.run(context, work);
}

/** The context of the request under way; undefined outside of one (a command, a timer). */
export const requestContext = (): RequestContext | undefined => storage.getStore();

/** The context of a request of Fastify, until its answer has been sent. */
export const contextOf = (request: object): RequestContext | undefined => contexts.get(request);
