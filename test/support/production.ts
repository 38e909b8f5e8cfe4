/** Values for the settings that production requires. A required setting of your own needs one too. */
export const PRODUCTION: Readonly<Record<string, string>> = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://db.example.com/app',
  ISSUER: 'https://auth.example.com',
  ENCRYPTION_SECRETS: 'a-secret-for-tests-of-32-characters-and-more',
  SMTP_URL: 'smtp://mail.example.com',
};
