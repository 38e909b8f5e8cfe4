const SIGN_IN_BUTTONS = [
  '<button type="submit" class="primary">Sign in</button>',
  '<button type="button" id="register">Register</button>',
  // room: mfa
  '<button type="button" id="with-passkey">Use a passkey</button>',
  // /room
];

/** @param filled whether the fields have the account of the examples, which is for development only */
export const accountSection = (filled: boolean): string => `<section aria-labelledby="account-title">
<h2 id="account-title">Account</h2>
<form id="account" class="fields">
<label>Email <input type="email" name="email" autocomplete="username" required${filled ? ' value="ada@example.com"' : ''}></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required${filled ? ' value="correct horse battery staple"' : ''}></label>
<p class="buttons">
${SIGN_IN_BUTTONS.join('\n')}
</p>
</form>
<p id="account-status" class="status" role="status">Register an account or sign in. The page keeps secrets in memory only, so a reload forgets them.</p>
</section>`;

/** A row with a drawing over time. Its text says the same. */
export const trackRow = (id: string, title: string): string => `<li id="${id}">
<b>${title}</b>
<svg viewBox="0 0 400 20" preserveAspectRatio="none" aria-hidden="true"></svg>
<span class="result">–</span>
</li>`;

export const raceSection = (rows: string): string => `<section aria-labelledby="race-title">
<h2 id="race-title">Revocation race</h2>
<p>The page gets one credential of each kind, calls with all of them, and revokes them. The vertical line is the revocation. A tall mark is an accepted call, and a short mark is a refused call.</p>
<p class="buttons"><button type="button" id="race" class="primary">Start the race</button></p>
<ul class="tracks race">
${rows}
</ul>
<p id="race-status" class="status" role="status"></p>
</section>`;

// room: tokens
export const refreshSection = `<section aria-labelledby="refresh-title">
<h2 id="refresh-title">Refresh race</h2>
<p>Five clients refresh the same sign-in at once, as five tabs do. With a lock, one asks the server and gives its token to the others. You can also use these buttons in two real tabs.</p>
<p class="buttons">
<button type="button" id="refresh-alone">Without a lock</button>
<button type="button" id="refresh-locked">With a lock</button>
</p>
<ul class="tracks">
${[1, 2, 3, 4, 5].map((number) => trackRow(`tab-${number}`, `Client ${number}`)).join('\n')}
</ul>
<p id="refresh-status" class="status" role="status"></p>
</section>`;
// /room

// room: mfa
export const factorsSection = `<section aria-labelledby="factors-title">
<h2 id="factors-title">Second factors</h2>
<p>Add a factor, and every sign-in of this account asks for it. To remove the factors, use the buttons here within 10 minutes after a sign-in.</p>
<p class="buttons">
<button type="button" id="add-totp">Add an authenticator app</button>
<button type="button" id="add-passkey">Add a passkey</button>
<button type="button" id="remove-factors">Remove all</button>
</p>
<form id="totp" class="fields" hidden>
<img id="totp-qr" alt="QR code for the authenticator app" width="176" height="176">
<p>Scan the code, or enter this secret: <code id="totp-secret"></code></p>
<label>Code of the app <input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" required></label>
<p class="buttons"><button type="submit" class="primary">Activate</button></p>
</form>
<p id="factors-status" class="status" role="status"></p>
</section>`;
// /room

export const dialog = `<dialog id="proof" aria-labelledby="proof-title">
<form method="dialog">
<h2 id="proof-title">One more proof</h2>
<p id="proof-text"></p>
<label>Kind <select name="kind"></select></label>
<label id="proof-code">Code <input name="code" autocomplete="one-time-code"></label>
<p class="buttons">
<button type="submit" class="primary" value="send">Continue</button>
<button type="submit" value="cancel" formnovalidate>Cancel</button>
</p>
</form>
</dialog>`;
