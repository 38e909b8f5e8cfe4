import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request under way, wherever the code is. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
}

const storage = new AsyncLocalStorage<RequestContext>();

export const runInRequest = (context: RequestContext, work: () => void) => storage.run(context, work);

/** The context of the request under way; undefined outside of one (a command, a timer). */
export const requestContext = (): RequestContext | undefined => storage.getStore();
