// Together, since loading the application takes Jest more than a second for each file.
import './logs/access-log.js';
import './logs/security-log.js';
import './logs/secrets.js';
import './logs/support.js';
