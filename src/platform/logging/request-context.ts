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
  /** How many statements the request has sent to the database. Counted outside production only. */
  queries?: number;
  /** The caller, for the log. */
  facts?: CallerFacts;
}

/** The ids of a caller. The line of a request contains these and no others. */
export interface CallerFacts {
  readonly mode?: string;
  readonly userId?: string;
  readonly serviceAccountId?: string;
  readonly credentialId: string;
  readonly keyId?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();
/** Socket events at the end of a request have no asynchronous context, so hooks find it by the request. */
const CONTEXT = Symbol('context');
type WithContext = { [CONTEXT]?: RequestContext };

/** @param request the Fastify request */
export function runInRequest(request: object, context: RequestContext, work: () => void): void {
  (request as WithContext)[CONTEXT] = context;
  storage.run(context, work);
}

/** The context of the current request. Undefined in a command or timer. */
export const requestContext = (): RequestContext | undefined => storage.getStore();

/** Runs work that a request starts for others, such as a queue. It has no request context. */
export const outsideRequests = <T>(work: () => T): T => storage.exit(work);

/** The context of a Fastify request. */
export const contextOf = (request: object): RequestContext | undefined => (request as WithContext)[CONTEXT];
