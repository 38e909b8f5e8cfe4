import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The text was changed, or was sealed with a secret that is no longer configured. */
export class UnsealError extends Error {
  constructor(purpose: string) {
    super(`a sealed ${purpose} cannot be opened with the configured secrets`);
    this.name = 'UnsealError';
  }
}

const keyOf = (secret: string, purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));

/**
 * Encrypts with AES-256-GCM. HKDF-SHA-256 derives the key from `secret` and `purpose`. `unseal` needs the same `context`,
 * so that a sealed text cannot be moved to another row.
 */
export function seal(plain: string, secret: string, purpose: string, context = ''): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts a sealed text with the first of `secrets` that fits.
 * @throws UnsealError if none fits
 */
export function unseal(sealed: Buffer, secrets: readonly string[], purpose: string, context = ''): string {
  for (const secret of secrets) {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const options = { authTagLength: TAG_BYTES };
      const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, purpose), nonce, options)
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      const encrypted = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString();
    } catch {
      // The next secret can fit.
    }
  }
  throw new UnsealError(purpose);
}
