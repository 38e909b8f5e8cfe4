import { type RegistrationResponseJSON, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import { TypeORMError } from 'typeorm';
import { isDatabaseUnavailable } from '../../platform/database/unavailable.js';
import type { PasskeyRegistration } from './mfa.schemas.js';

/** To verify other formats, the library fetches URLs from certificates that the client sends. */
const FORMATS: readonly unknown[] = ['none', 'packed'];

type Expected = Omit<Parameters<typeof verifyRegistrationResponse>[0], 'response'>;

/** Verifies a new passkey (WebAuthn 7.1). Rejects if it is malformed, or if its attestation has another format. */
export async function verifyAttestation(expected: Expected, passkey: PasskeyRegistration['passkey']) {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(passkey.response.attestationObject));
  if (!FORMATS.includes(attestation.get('fmt'))) throw new Error('attestation format not accepted');
  return verifyRegistrationResponse({ ...expected, response: passkey as RegistrationResponseJSON });
}

/** What comes before a value of the client in a message of the library. */
const QUOTED = /["':]| (?:status|value|alg|kty|crv) /;

/**
 * Returns why the library refuses a passkey. Its messages quote values of the client, so the log gets only the part before
 * them.
 * @throws an error of the database, which checks the challenge. It says nothing about the passkey
 */
export function reasonOf(error: unknown): string {
  if (error instanceof TypeORMError || isDatabaseUnavailable(error)) throw error;
  return error instanceof Error
    ? `passkey: ${error.message.split(QUOTED, 1)[0]!.trim()}`
    : 'passkey: unreadable';
}
