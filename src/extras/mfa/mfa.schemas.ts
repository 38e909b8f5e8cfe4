import { z } from 'zod';
import { renewedWith } from '../../accounts/sign-ins/sign-ins.schemas.js';
import { line } from '../../web/http/validation.js';

const base64url = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\w-]*$/, 'must be base64url');
const bytes = (max: number, description: string) => base64url(max).meta({ description });

export const TotpCode = z
  .string()
  .regex(/^\d{6}$/, 'must be 6 digits')
  .meta({ description: 'The code that the authenticator app shows', examples: ['123456'] });

/** People copy codes with spaces and in lower case. */
export const RecoveryCodeInput = z
  .string()
  .max(100)
  .transform((text) => text.replaceAll(/[\s-]/g, '').toUpperCase())
  .meta({ description: 'One of the recovery codes', examples: ['ABCDEF-GHJKMN-PQRSTV-WXYZ23'] });

export const MfaTokenInput = z
  .string()
  .max(200)
  .meta({ description: 'From the answer 401 `mfa-required`, at most 5 minutes before' });

const credential = {
  id: bytes(1400, 'The id of the passkey'),
  rawId: bytes(1400, 'The same'),
  type: z.literal('public-key').describe('The only type'),
  authenticatorAttachment: z.string().max(50).nullish().describe('Where the authenticator is'),
  clientExtensionResults: z.record(z.string(), z.unknown()).default({}).describe('Ignored'),
};

// A browser writes these objects, and newer ones write more fields. They are dropped.
export const PasskeyAssertion = z
  .object({
    ...credential,
    response: z
      .object({
        clientDataJSON: bytes(8000, 'What the browser says about the request'),
        authenticatorData: bytes(8000, 'What the authenticator says about itself'),
        signature: bytes(8000, 'Of both'),
        userHandle: base64url(200).nullish().describe('Whose passkey it is'),
      })
      .describe('The answer of the authenticator'),
  })
  .meta({ id: 'PasskeyAssertion', description: 'What `PublicKeyCredential.toJSON()` returns at a sign-in' });
export type PasskeyAssertion = z.infer<typeof PasskeyAssertion>;

export const PasskeyRegistration = z
  .strictObject({
    passkey: z
      .object({
        ...credential,
        response: z
          .object({
            clientDataJSON: bytes(8000, 'What the browser says about the request'),
            attestationObject: bytes(40_000, 'The public key'),
            transports: z
              .array(
                z
                  .string()
                  .max(50)
                  .regex(/^[\w-]+$/, 'must be a word'),
              )
              .max(20)
              .default([])
              .describe('How the authenticator is reached'),
          })
          .describe('The answer of the authenticator'),
      })
      .describe('What `PublicKeyCredential.toJSON()` returns'),
    name: line(1, 100).default('Passkey').describe('How the person calls it'),
  })
  .meta({ id: 'PasskeyRegistration', description: 'A new passkey' });
export type PasskeyRegistration = z.infer<typeof PasskeyRegistration>;

export const TotpActivation = z
  .strictObject({ code: TotpCode })
  .meta({ id: 'TotpActivation', description: 'Proof that the app has the secret' });
export type TotpActivation = z.infer<typeof TotpActivation>;

export const TotpSecret = z
  .object({
    secret: z.string().describe('In base32, for an app without a camera'),
    otpauthUri: z.string().describe('What the QR code holds'),
    qrSvg: z.string().describe('The QR code, as SVG'),
  })
  .meta({ id: 'TotpSecret', description: 'Shown once. It is inactive until a first code is sent' });
export type TotpSecret = z.infer<typeof TotpSecret>;

export const PasskeyView = z
  .object({
    id: z.uuid().describe('Names the passkey here'),
    credentialId: z.string().describe('Names the passkey in its authenticator'),
    name: z.string().describe('How the person calls it'),
    synced: z.boolean().describe('Whether it can be on several devices'),
    backedUp: z.boolean().describe('Whether it is backed up now'),
    createdAt: z.iso.datetime().describe('When it was registered'),
    lastUsedAt: z.iso.datetime().nullable().describe('Null: never'),
  })
  .meta({ id: 'Passkey', description: 'A passkey' });
export type PasskeyView = z.infer<typeof PasskeyView>;

export const MfaView = z
  .object({
    totp: z.boolean().describe('Whether an authenticator app is enrolled'),
    passkeys: z.array(PasskeyView).describe('Oldest first'),
    recoveryCodes: z.int().describe('How many are left'),
  })
  .meta({ id: 'SecondFactors', description: 'The second factors of a person' });
export type MfaView = z.infer<typeof MfaView>;

const codes = z.array(z.string()).describe('Shown once');
const firstCodes = codes.optional().describe('With the first factor of any kind. Shown once');

export const RecoveryCodes = z
  .object({ recoveryCodes: codes })
  .meta({ id: 'RecoveryCodes', description: 'Ten new codes. The old ones are void' });

export const Enrolled = renewedWith(
  { id: 'FactorEnrolled', description: 'New secrets for this sign-in' },
  { recoveryCodes: firstCodes },
);
export const PasskeyCreated = renewedWith(
  { id: 'PasskeyCreated', description: 'The passkey, and new secrets for this sign-in' },
  { passkey: PasskeyView, recoveryCodes: firstCodes },
);

const signal = z
  .object({
    rpId: z.string().describe('The relying party'),
    userId: z.string().describe('The user handle'),
    allAcceptedCredentialIds: z.array(z.string()).describe('The passkeys that are left'),
  })
  .describe(
    'For `PublicKeyCredential.signalAllAcceptedCredentials()`, so that the browser forgets the passkey',
  );
export const PasskeyRemoved = renewedWith(
  { id: 'PasskeyRemoved', description: 'New secrets for this sign-in' },
  { signal },
);

export const PasskeyOptions = z
  .looseObject({ challenge: z.string().describe('To be signed, once, within 5 minutes') })
  .meta({ id: 'PasskeyOptions', description: 'For `navigator.credentials`, in its JSON form' });
