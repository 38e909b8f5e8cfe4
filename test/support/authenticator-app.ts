import { Secret, TOTP } from 'otpauth';

/** An authenticator app that knows a secret. */
export class AuthenticatorApp {
  readonly #totp: TOTP;

  constructor(secret: string) {
    this.#totp = new TOTP({ secret: Secret.fromBase32(secret) });
  }

  /** The code at a time, or `steps` of 30 seconds later. */
  codeAt(time: Date, steps = 0): string {
    return this.#totp.generate({ timestamp: time.getTime() + steps * 30_000 });
  }

  /** A code that is none of those around a time. */
  wrongCodeAt(time: Date): string {
    const near = [-2, -1, 0, 1, 2].map((steps) => this.codeAt(time, steps));
    for (let n = 0; ; n += 1) {
      const code = String(n).padStart(6, '0');
      if (!near.includes(code)) return code;
    }
  }
}
