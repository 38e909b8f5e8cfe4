import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request under way, wherever the code is. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Where the answer goes. Once it is destroyed, nobody waits for the answer any more. */
  readonly connection: { readonly destroyed: boolean };
  /** The key behind the request, noted as soon as it is known, also where the request is then refused. */
  keyId?: string;
  /** What the answer is to carry, whatever it is. */
  readonly answerHeaders: Record<string, string>;
}

const storage = new AsyncLocalStorage<RequestContext>();

export const runInRequest = (context: RequestContext, work: () => void) => storage.run(context, work);

/** The context of the request under way; undefined outside of one (a command, a timer). */
export const requestContext = (): RequestContext | undefined => storage.getStore();
