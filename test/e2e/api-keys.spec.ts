// Together, since loading the application takes Jest more than a second for each file.
import './api-keys/api-keys.js';
import './api-keys/api-key-on-request.js';
