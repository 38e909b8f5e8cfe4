import { z } from 'zod';
import { EmailInput, NewPassword, OneTimeToken } from '../users/users.schemas.js';

export const PasswordResetRequest = z
  .strictObject({ email: EmailInput })
  .meta({ id: 'PasswordResetRequest', description: 'The address of the account' });
export type PasswordResetRequest = z.infer<typeof PasswordResetRequest>;

export const PasswordResetBody = z
  .strictObject({
    token: OneTimeToken,
    newPassword: NewPassword,
    revokeApiKeys: z.boolean().default(false).meta({ description: 'Whether all API keys of the person end' }),
  })
  .meta({ id: 'PasswordReset', description: 'A new password, set with the token of the link' });
export type PasswordResetBody = z.infer<typeof PasswordResetBody>;

export const EmailChangeRequest = z
  .strictObject({ email: EmailInput.meta({ example: 'ada.lovelace@example.com' }) })
  .meta({ id: 'EmailChangeRequest', description: 'The new address' });
export type EmailChangeRequest = z.infer<typeof EmailChangeRequest>;

export const EmailChangeUndo = z
  .strictObject({ token: OneTimeToken })
  .meta({ id: 'EmailChangeUndo', description: 'The token of the link in the mail to the old address' });
export type EmailChangeUndo = z.infer<typeof EmailChangeUndo>;
