import { Injectable } from '@nestjs/common';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import type { EntityManager } from 'typeorm';
import { cookieValues } from '../../auth/presented-credential.js';
import { setDeviceCookie } from '../attempt-limits/device-cookie.js';
import type { User } from '../users/user.entity.js';
import type { CarrierName, SignIn } from './sign-in.entity.js';

export interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly options: CookieSerializeOptions;
}

/** The answer of a sign-in: cookies, and a body that can contain a secret. */
export interface IssuedCredential {
  readonly body: object;
  readonly cookies: readonly SetCookie[];
}

/** The credential that carries a sign-in between requests. The rooms `sessions` and `tokens` each register one. */
export interface Carrier {
  readonly name: CarrierName;
  /** The cookies to clear when the sign-in ends. */
  readonly cookies: readonly Omit<SetCookie, 'value'>[];
  /** Replaces the secrets of a sign-in, in the given transaction, after the person has proved their identity again. */
  renew(manager: EntityManager, signIn: SignIn, user: User): Promise<IssuedCredential>;
}

@Injectable()
export class CarrierRegistry {
  readonly #carriers = new Map<CarrierName, Carrier>();

  register(carrier: Carrier): void {
    this.#carriers.set(carrier.name, carrier);
  }

  get(name: CarrierName): Carrier {
    const carrier = this.#carriers.get(name);
    if (!carrier) throw new Error(`no carrier is registered with the name ${name}`);
    return carrier;
  }

  /** All cookies that this server can have set in a browser. */
  cookies(): Omit<SetCookie, 'value'>[] {
    return [...this.#carriers.values()].flatMap((carrier) => carrier.cookies);
  }
}

/** Sets the cookies of an issued credential and returns its body. */
export function deliver(reply: FastifyReply, issued: IssuedCredential): object {
  // RFC 6749 section 5.1 requires it in addition to `Cache-Control: no-store`.
  void reply.header('Pragma', 'no-cache');
  for (const { name, value, options } of issued.cookies) void reply.setCookie(name, value, options);
  setDeviceCookie(reply);
  return issued.body;
}

/**
 * Clears cookies, except a cookie that was sent twice. The browser would delete our cookie and keep the one that another
 * host has set, and the next request would use that one.
 */
export function clearCookies(reply: FastifyReply, cookies: readonly Omit<SetCookie, 'value'>[]): void {
  for (const { name, options } of cookies)
    if (cookieValues(reply.request, name).length < 2) void reply.clearCookie(name, options);
}

/** Clears the cookies of all carriers, and what pages have stored in the browser (ASVS 14.3.1). */
export function forgetSignIn(reply: FastifyReply, carriers: CarrierRegistry): void {
  clearCookies(reply, carriers.cookies());
  // Not "cookies", which clears them for all hosts of the registrable domain.
  void reply.header('Clear-Site-Data', '"storage"');
}
