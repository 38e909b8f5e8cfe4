// Together, since loading the application takes Jest more than a second for each file.
import './sign-ins/sessions.js';
import './sign-ins/sign-ins.js';
import './sign-ins/passwords.js';
