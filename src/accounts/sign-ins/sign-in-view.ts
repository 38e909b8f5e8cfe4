import { BROWSER_MAP, OS_MAP, parse } from 'bowser';
import type { SignIn } from './sign-in.entity.js';
import type { SignInView } from './sign-ins.schemas.js';

/** The fields of a sign-in that its user can see. `currentId` is the sign-in behind the request. */
export const showSignIn = (signIn: SignIn, currentId: string): SignInView => ({
  id: signIn.id,
  carrier: signIn.carrier,
  createdAt: signIn.createdAt.toISOString(),
  lastSeenAt: signIn.lastSeenAt.toISOString(),
  expiresAt: signIn.expiresAt.toISOString(),
  ip: signIn.ip,
  userAgent: signIn.userAgent,
  device: deviceOf(signIn.userAgent),
  current: signIn.id === currentId,
});

const BROWSERS = new Set(Object.values(BROWSER_MAP));
const SYSTEMS = new Set(Object.values(OS_MAP));

/**
 * A name such as "Firefox on Linux". It comes from the client, so it can be wrong. It is never a text that the client made
 * up, so it can stand in a mail.
 */
export function deviceOf(userAgent: string | null): string | null {
  if (!userAgent) return null;
  const { browser, os } = parse(userAgent);
  const known = [BROWSERS.has(browser.name!) && browser.name, SYSTEMS.has(os.name!) && os.name].filter(
    Boolean,
  );
  return known.length > 0 ? known.join(' on ') : null;
}
