// Together, since loading the application takes Jest more than a second for each file.
import './oauth/token.js';
import './oauth/introspection.js';
import './oauth/revocation.js';
import './oauth/metadata.js';
import './oauth/client.js';
import './opaque-tokens/opaque-tokens.js';
