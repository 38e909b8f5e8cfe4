import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed text that no given secret opens: tampered with, or sealed under a secret that is no longer configured. */
export class UnsealError extends Error {
  constructor(purpose: string) {
    super(`a sealed ${purpose} cannot be opened with the secrets given`);
    this.name = 'UnsealError';
  }
}

const keyOf = (secret: string, purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));

/**
 * Encrypts with AES-256-GCM under a key derived (HKDF-SHA-256) from `secret` for one `purpose`.
 * `context` is authenticated, not stored: opening needs the same, so a sealed text cannot be moved to another row.
 */
export function seal(plain: string, secret: string, purpose: string, context = ''): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what `seal` made, trying each of `secrets` in turn.
 * @throws UnsealError when none fits
 */
export function unseal(sealed: Buffer, secrets: readonly string[], purpose: string, context = ''): string {
  for (const secret of secrets) {
    try {
      const decipher = createDecipheriv(
        'aes-256-gcm',
        keyOf(secret, purpose),
        sealed.subarray(0, NONCE_BYTES),
        {
          authTagLength: TAG_BYTES,
        },
      )
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      return (
        decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)).toString('utf8') + decipher.final('utf8')
      );
    } catch {
      // Not this secret; the next one may fit.
    }
  }
  throw new UnsealError(purpose);
}
