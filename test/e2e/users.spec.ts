// Together, since loading the application takes Jest more than a second for each file.
import './users/users.js';
import './users/email-verification.js';
import './users/production.js';
import './users/mail.js';
import './users/admin.js';
