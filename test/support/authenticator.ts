import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const UP = 0x01;
const UV = 0x04;
const BE = 0x08;
const BS = 0x10;
const AT = 0x40;

type Cbor = number | string | Buffer | Map<number | string, Cbor>;

/** Encodes the parts of CBOR (RFC 8949) that an attestation needs. */
function encode(value: Cbor): Buffer {
  const head = (major: number, n: number) =>
    n < 24
      ? Buffer.from([(major << 5) | n])
      : n < 256
        ? Buffer.from([(major << 5) | 24, n])
        : Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flat().map((part) => encode(part))]);
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest();

/** Deviations of an attacker or a broken authenticator. */
export interface Deviations {
  origin?: string;
  type?: string;
  challenge?: string;
  rpId?: string;
  crossOrigin?: boolean;
  tokenBinding?: { status: string };
  /** The user was not verified. */
  withoutVerification?: boolean;
  withoutPresence?: boolean;
  /** In place of the next number. */
  counter?: number;
  userHandle?: string | null;
  synced?: boolean;
  /** Of the attestation, in place of `none`. */
  format?: string;
  /** Signs with another key. */
  forged?: boolean;
}

interface Options {
  challenge: string;
  rpId?: string;
  rp?: { id?: string };
  user?: { id: string };
}

/** A passkey in software: ES256, attestation none or packed (self attestation). */
export class Authenticator {
  readonly credentialId = randomBytes(16).toString('base64url');
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #userHandle = '';

  /** @param counter of signatures; 0 for an authenticator that does not count */
  constructor(
    readonly origin: string,
    public counter = 0,
    readonly synced = true,
  ) {}

  /** `navigator.credentials.create()` */
  create(options: Options, deviations: Deviations = {}) {
    this.#userHandle = options.user?.id ?? '';
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' });
    const coordinate = (text = '') => Buffer.from(text, 'base64url');
    const key = new Map<number, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, coordinate(x)],
      [-3, coordinate(y)],
    ]);
    const id = Buffer.from(this.credentialId, 'base64url');
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, encode(key)]);
    const authData = Buffer.concat([this.#authenticatorData(options, deviations, AT), attested]);
    const clientData = this.#clientData('webauthn.create', options, deviations);
    const { format = 'none' } = deviations;
    const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), this.#keys.privateKey);
    const statement: [string, Cbor][] = [
      ['alg', -7],
      ['sig', signature],
    ];
    const attestationObject = encode(
      new Map<string, Cbor>([
        ['fmt', format],
        ['attStmt', new Map(format === 'none' ? [] : statement)],
        ['authData', authData],
      ]),
    );
    return this.#credential({
      clientDataJSON: clientData.toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['internal'],
    });
  }

  /** `navigator.credentials.get()` */
  get(options: Options, deviations: Deviations = {}) {
    if (this.counter > 0) this.counter += 1;
    const authenticatorData = this.#authenticatorData(options, deviations, 0);
    const clientData = this.#clientData('webauthn.get', options, deviations);
    const { privateKey } = deviations.forged
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : this.#keys;
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), privateKey);
    const { userHandle = this.#userHandle } = deviations;
    return this.#credential({
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: signature.toString('base64url'),
      ...(userHandle !== null && { userHandle }),
    });
  }

  #credential<Response>(response: Response) {
    const { credentialId: id } = this;
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
  }

  #clientData(type: string, options: Options, deviations: Deviations): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: deviations.type ?? type,
        challenge: deviations.challenge ?? options.challenge,
        origin: deviations.origin ?? this.origin,
        crossOrigin: deviations.crossOrigin ?? false,
        tokenBinding: deviations.tokenBinding,
      }),
    );
  }

  #authenticatorData(options: Options, deviations: Deviations, further: number): Buffer {
    const rpId = deviations.rpId ?? options.rpId ?? options.rp?.id ?? '';
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(deviations.counter ?? this.counter);
    const flags =
      (deviations.withoutPresence ? 0 : UP) |
      (deviations.withoutVerification ? 0 : UV) |
      ((deviations.synced ?? this.synced) ? BE | BS : 0) |
      further;
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), counter]);
  }
}
