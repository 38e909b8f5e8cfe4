import { parse } from 'bowser';
import type { SignIn } from './sign-in.entity.js';
import type { SignInView } from './sign-ins.schemas.js';

/** What lists show of a sign-in. `currentId` is the one that asks. */
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

/** "Firefox on Linux", as far as the client's own word goes. */
function deviceOf(userAgent: string | null): string | null {
  if (!userAgent) return null;
  const { browser, os } = parse(userAgent);
  const known = [browser.name, os.name].filter(Boolean);
  return known.length > 0 ? known.join(' on ') : null;
}
