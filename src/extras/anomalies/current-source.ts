import { requestContext } from '../../platform/logging/request-context.js';
import type { Source } from './assessment.js';

const USER_AGENT_LENGTH = 512;

/** Where the current request comes from. */
export function currentSource(): Source {
  const { ip = null, userAgent } = requestContext() ?? {};
  return { ip, userAgent: userAgent?.slice(0, USER_AGENT_LENGTH) ?? null };
}
