import { z } from 'zod';
import { text } from '../../web/http/validation.js';
import { PASSWORD_MAX, PASSWORD_MIN } from './password-policy.js';

const EMAIL_LENGTH = 254;

/** Lower case, so that each address has one account. */
export const EmailInput = z
  .string()
  .max(EMAIL_LENGTH)
  .pipe(z.email('must be an email address'))
  .transform((email) => email.toLowerCase())
  .meta({
    description: 'An ASCII address; upper and lower case are equal',
    format: 'email',
    example: 'ada@example.com',
  });

/** The examples of all routes use this password, so that they work one after the other. */
const PASSWORD = 'correct horse battery staple';

/** A password to check. The password policy applies only to a new password. */
export const PasswordInput = z
  .string()
  .max(1024)
  .meta({ description: 'The password of the account', examples: [PASSWORD] });

export const NewPassword = z
  .string()
  .max(1024)
  .meta({
    description: `${PASSWORD_MIN} to ${PASSWORD_MAX} code points after NFC normalisation; not a common password`,
    examples: [PASSWORD],
  });

export const RegistrationRequest = z
  .strictObject({
    email: EmailInput,
    password: NewPassword,
    name: text(1, 100).optional().describe('The name that the person wants to be called by'),
  })
  .meta({ id: 'Registration', description: 'A new account' });
export type RegistrationRequest = z.infer<typeof RegistrationRequest>;

export const MailAccepted = z
  .object({ message: z.string().describe('A text to show to the person') })
  .meta({ id: 'MailAccepted', description: 'The answer is the same for every address' });
export type MailAccepted = z.infer<typeof MailAccepted>;

export const ProfileChange = z
  .strictObject({ name: text(1, 100).nullable().optional().describe('Null removes the name') })
  .meta({
    id: 'ProfileChange',
    description: 'Changes to the profile',
    example: { name: 'Ada' },
  });
export type ProfileChange = z.infer<typeof ProfileChange>;

export const PasswordChange = z
  .strictObject({ currentPassword: PasswordInput, newPassword: NewPassword })
  .meta({
    id: 'PasswordChange',
    description: 'A new password',
    example: { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` },
  });
export type PasswordChange = z.infer<typeof PasswordChange>;

export const VerificationRequest = z
  .strictObject({ email: EmailInput })
  .meta({ id: 'VerificationRequest', description: 'The address to confirm' });
export type VerificationRequest = z.infer<typeof VerificationRequest>;

export const OneTimeToken = z.string().max(200).describe('The token from the link in the mail');

export const Verification = z
  .strictObject({
    token: OneTimeToken,
    newPassword: NewPassword.optional().meta({
      description: 'Required for a link from `POST /v1/email-verifications`, and refused for any other link',
    }),
  })
  .meta({ id: 'Verification', description: 'The token of a link that confirms an address' });
export type Verification = z.infer<typeof Verification>;

export const UserView = z
  .object({
    id: z.uuid().describe('The `subject` of the user’s credentials'),
    email: z.string().describe('In lower case'),
    name: z.string().nullable().describe('The name that the person wants to be called by'),
    emailVerified: z.boolean().describe('Whether the address is confirmed'),
    roles: z.array(z.string()).describe('Roles add scopes, such as `admin:users`'),
    status: z.enum(['active', 'disabled']).describe('A disabled user cannot sign in'),
    createdAt: z.iso.datetime().describe('The time of registration'),
  })
  .meta({ id: 'User', description: 'A person with an account' });
export type UserView = z.infer<typeof UserView>;
