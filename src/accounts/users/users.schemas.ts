import { z } from 'zod';
import { text } from '../../web/http/validation.js';
import { PASSWORD_MAX, PASSWORD_MIN } from './password-policy.js';

const EMAIL_LENGTH = 254;

/** An address, in lower case: one mailbox, one account. */
export const EmailInput = z
  .string()
  .max(EMAIL_LENGTH)
  .pipe(z.email('must be an email address'))
  .transform((email) => email.toLowerCase())
  .meta({ description: 'An ASCII address, in any case', format: 'email', example: 'ada@example.com' });

/** That of the examples, which work one after the other as they stand. */
const PASSWORD = 'correct horse battery staple';

/** A password to check. What a password may be is asked when it is set. */
export const PasswordInput = z
  .string()
  .max(1024)
  .meta({ description: 'The password of the account', examples: [PASSWORD] });

const newPassword = z
  .string()
  .max(1024)
  .meta({
    description: `${PASSWORD_MIN} to ${PASSWORD_MAX} code points after NFC normalisation, and no common password`,
    examples: [PASSWORD],
  });

export const RegistrationRequest = z
  .strictObject({
    email: EmailInput,
    password: newPassword,
    name: text(1, 100).optional().describe('How the person wants to be called'),
  })
  .meta({ id: 'Registration', description: 'A new account' });
export type RegistrationRequest = z.infer<typeof RegistrationRequest>;

export const MailAccepted = z
  .object({ message: z.string().describe('For the person') })
  .meta({ id: 'MailAccepted', description: 'The same for every address' });
export type MailAccepted = z.infer<typeof MailAccepted>;

export const ProfileChange = z
  .strictObject({ name: text(1, 100).nullable().optional().describe('Null: none') })
  .meta({
    id: 'ProfileChange',
    description: 'What a person changes of their profile',
    example: { name: 'Ada' },
  });
export type ProfileChange = z.infer<typeof ProfileChange>;

export const PasswordChange = z.strictObject({ currentPassword: PasswordInput, newPassword }).meta({
  id: 'PasswordChange',
  description: 'A new password',
  example: { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` },
});
export type PasswordChange = z.infer<typeof PasswordChange>;

export const VerificationRequest = z
  .strictObject({ email: EmailInput })
  .meta({ id: 'VerificationRequest', description: 'Where a link goes' });
export type VerificationRequest = z.infer<typeof VerificationRequest>;

export const Verification = z
  .strictObject({
    token: z.string().max(200).describe('From the link in the mail'),
    newPassword: newPassword.optional().meta({
      description:
        'Required with a link from `POST /v1/email-verifications`, and refused with any other link',
    }),
  })
  .meta({ id: 'Verification', description: 'Proof that a person reads the mail of an address' });
export type Verification = z.infer<typeof Verification>;

export const UserView = z
  .object({
    id: z.uuid().describe('The `subject` of their credentials'),
    email: z.string().describe('In lower case'),
    name: z.string().nullable().describe('How the person wants to be called'),
    emailVerified: z.boolean().describe('Whether they confirmed the address'),
    roles: z.array(z.string()).describe('What they can do besides their own things'),
    status: z.enum(['active', 'disabled']).describe('Whether they can sign in'),
    createdAt: z.iso.datetime().describe('When they registered'),
  })
  .meta({ id: 'User', description: 'A person with an account' });
export type UserView = z.infer<typeof UserView>;
