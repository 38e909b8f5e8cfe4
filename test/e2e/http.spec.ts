// Together, since loading the application takes Jest more than a second for each file.
import './http/http.js';
import './http/problems.js';
import './http/security-headers.js';
import './http/pages.js';
import './http/bodies.js';
import './http/openapi.js';
import './http/openapi-clients.js';
import './logs/access-log.js';
import './logs/security-log.js';
import './logs/secrets.js';
import './logs/support.js';
