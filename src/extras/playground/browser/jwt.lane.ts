import type { Fact } from './credential.js';
import { signInLane } from './token.lane.js';

/** The JSON in a part of a JWT. */
export const decodePart = (part: string): object =>
  JSON.parse(new TextDecoder().decode(bytesOfBase64url(part))) as object;

export const bytesOfBase64url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));

/** Anyone can read a JWT: only its signature needs a key. */
export function describeJwt(token: string): readonly Fact[] {
  const [header = '', claims = '', signature = ''] = token.split('.');
  return [
    ['Header', JSON.stringify(decodePart(header))],
    ['Claims', decodePart(claims)],
    ['Signature', `${bytesOfBase64url(signature).length} bytes`],
  ];
}

export const jwtLane = signInLane('jwt', 'jwt', describeJwt);
