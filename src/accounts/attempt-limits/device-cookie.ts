import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { cookieValues } from '../../auth/presented-credential.js';
import { isRandomSecret, type Secret } from '../../platform/crypto/secret.js';
import { type RequestContext, requestContext } from '../../platform/logging/request-context.js';

declare module '../../platform/logging/request-context.js' {
  interface RequestContext {
    /** The device cookie for the answer, of a source that became known. */
    device?: Secret;
  }
}

/** Names a browser that a person has signed in with (OWASP, "device cookies"). It is not a credential. */
export const DEVICE_COOKIE = '__Host-device';
export const DEVICE_LIFETIME_MS = 180 * 86_400_000;

const OPTIONS: CookieSerializeOptions = {
  path: '/',
  httpOnly: true,
  secure: true,
  sameSite: 'lax',
  maxAge: DEVICE_LIFETIME_MS / 1000,
};

/** The value in the request. Undefined if there is none, more than one, or a malformed one. */
export function presentedDevice(context: RequestContext | undefined): string | undefined {
  const values = context ? cookieValues({ headers: context }, DEVICE_COOKIE) : [];
  return values.length === 1 && isRandomSecret(values[0]!) ? values[0] : undefined;
}

/** Sets the cookie if the request made its source known. */
export function setDeviceCookie(reply: FastifyReply): void {
  const device = requestContext()?.device;
  if (device) void reply.setCookie(DEVICE_COOKIE, device.reveal(), OPTIONS);
}

defineCredentialKind({
  name: 'device cookie',
  places: [{ type: 'cookie', name: DEVICE_COOKIE }],
  recognises: isRandomSecret,
  examine: (text) => ({
    faults: isRandomSecret(text) ? [] : ['malformed device cookie'],
    unchecked: 'whether the device is known. The cookie is no credential and signs nobody in',
  }),
});
