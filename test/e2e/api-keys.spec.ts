// Together, since loading the application takes Jest more than a second for each file.
import './api-keys/api-keys.js';
import './api-keys/api-key-on-request.js';
import './api-keys/rotation.js';
import './api-keys/bounds.js';
import './api-keys/service-accounts.js';
import './api-keys/usage.js';
import './examples/orders.js';
import './examples/events.js';
import './examples/whoami.js';
import './examples/resource-server.js';
import './examples/readme.js';
import './oauth/token.js';
import './oauth/introspection.js';
import './oauth/revocation.js';
import './oauth/metadata.js';
import './oauth/client.js';
import './opaque-tokens/opaque-tokens.js';
