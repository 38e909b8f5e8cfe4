import { Injectable } from '@nestjs/common';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import type { EntityManager } from 'typeorm';
import { cookieValues } from '../../auth/presented-credential.js';
import type { User } from '../users/user.entity.js';
import type { CarrierName, SignIn } from './sign-in.entity.js';

export interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly options: CookieSerializeOptions;
}

/** What a sign-in answers with: a body that may show a secret once, and cookies. */
export interface IssuedCredential {
  readonly body: object;
  readonly cookies: readonly SetCookie[];
}

/** What carries a sign-in between requests. The modes `sessions` and `tokens` each register one. */
export interface Carrier {
  readonly name: CarrierName;
  /** Cookies to clear when the sign-in ends. */
  readonly cookies: readonly Omit<SetCookie, 'value'>[];
  /** The person proved again who they are: new secrets for the same sign-in. The old ones end, in this transaction. */
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
    if (!carrier) throw new Error(`nothing carries sign-ins by ${name}`);
    return carrier;
  }

  /** Every cookie that a browser may hold of us. */
  cookies(): Omit<SetCookie, 'value'>[] {
    return [...this.#carriers.values()].flatMap((carrier) => carrier.cookies);
  }
}

/** Sets the cookies of an issued credential and returns its body. */
export function deliver(reply: FastifyReply, issued: IssuedCredential): object {
  // RFC 6749 5.1 asks for it beside `Cache-Control: no-store`.
  void reply.header('Pragma', 'no-cache');
  for (const { name, value, options } of issued.cookies) void reply.setCookie(name, value, options);
  return issued.body;
}

/**
 * Clears cookies, except one that came twice: the browser would delete ours and keep the one that another host has set,
 * and with it the next request would be that host's.
 */
export function clearCookies(reply: FastifyReply, cookies: readonly Omit<SetCookie, 'value'>[]): void {
  for (const { name, options } of cookies)
    if (cookieValues(reply.request, name).length < 2) void reply.clearCookie(name, options);
}
