// Lines of at most 76 characters, so that a link stays whole.

export const ADDRESS_IN_USE = {
  subject: 'Your email address',
  text: `Somebody, probably you, asked to use this address for another account.
An account with this address already exists. To use the address for the
other account, delete this one or change its address first.

If it was not you, ignore this mail. Nothing was changed.
`,
};

export const CONFIRM = (link: string) => ({
  subject: 'Confirm your new email address',
  text: `Somebody, probably you, asked to use this address for their account.
Confirm that it is yours:

${link}

The link works once and expires after 24 hours. It works only while you
stay signed in where you asked for it, and keep your password.

If you did not request this, ignore this mail. Nothing changes unless you
use the link.
`,
});

export const CHANGED = (link: string) => ({
  subject: 'The email address of your account was changed',
  text: `The account that had this address has another one now.

If it was you, there is nothing to do. If it was not you, undo the change.
This ends every sign-in of the account, and you get a mail that lets you
set a new password:

${link}

The link works once and expires after 72 hours.
`,
});
