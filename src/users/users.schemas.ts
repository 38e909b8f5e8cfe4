import { z } from 'zod';
import { text } from '../http/validation.js';
import { PASSWORD_MAX, PASSWORD_MIN } from './password-policy.js';

const EMAIL_LENGTH = 254;

/** An address, in lower case: one mailbox, one account. */
export const EmailInput = z
  .string()
  .max(EMAIL_LENGTH)
  .pipe(z.email('is no email address'))
  .transform((email) => email.toLowerCase())
  .meta({ format: 'email', description: 'ASCII only, in any case', example: 'ada@example.com' });

/** A password to check. What a password may be is asked when it is set. */
export const PasswordInput = z.string().max(1024);

const newPassword = z
  .string()
  .max(1024)
  .meta({
    description: `${PASSWORD_MIN} to ${PASSWORD_MAX} code points after NFC normalisation, and no common password`,
  });

export const RegistrationRequest = z
  .strictObject({ email: EmailInput, password: newPassword, name: text(1, 100).optional() })
  .meta({ id: 'Registration' });
export type RegistrationRequest = z.infer<typeof RegistrationRequest>;

export const MailAccepted = z.object({ message: z.string() }).meta({ id: 'MailAccepted' });
export type MailAccepted = z.infer<typeof MailAccepted>;

export const ProfileChange = z
  .strictObject({ name: text(1, 100).nullable().optional() })
  .meta({ id: 'ProfileChange' });
export type ProfileChange = z.infer<typeof ProfileChange>;

export const PasswordChange = z
  .strictObject({ currentPassword: PasswordInput, newPassword })
  .meta({ id: 'PasswordChange' });
export type PasswordChange = z.infer<typeof PasswordChange>;

export const VerificationRequest = z.strictObject({ email: EmailInput }).meta({ id: 'VerificationRequest' });
export type VerificationRequest = z.infer<typeof VerificationRequest>;

export const Verification = z
  .strictObject({
    token: z.string().max(200),
    newPassword: newPassword.optional().meta({
      description:
        'Required with a link from `POST /v1/email-verifications`, and refused with any other link',
    }),
  })
  .meta({ id: 'Verification' });
export type Verification = z.infer<typeof Verification>;

export const UserView = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string().nullable(),
    emailVerified: z.boolean(),
    roles: z.array(z.enum(['admin'])),
    status: z.enum(['active', 'disabled']),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });
export type UserView = z.infer<typeof UserView>;
