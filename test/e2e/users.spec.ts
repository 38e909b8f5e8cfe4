// Together, since loading the application takes Jest more than a second for each file.
import './users/users.js';
import './users/registrations.js';
import './users/email-verification.js';
import './users/production.js';
import './users/mail.js';
import './users/admin.js';
import './sign-ins/sessions.js';
import './sign-ins/sign-ins.js';
import './sign-ins/passwords.js';
import './sign-ins/password-queue.js';
import './races/races.js';
import './races/barrier-races.js';
import './races/acting-sign-in.js';
