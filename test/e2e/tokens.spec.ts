// Together, since loading the application takes Jest more than a second for each file.
import './tokens/tokens.js';
import './tokens/jwt-attacks.js';
import './tokens/jwks.js';
import './tokens/signing-keys.js';
import './refresh/refresh.js';
import './refresh/refresh-cookie.js';
import './refresh/refresh-races.js';
