// Together, since loading the application takes Jest more than a second for each file.
import './signing-keys/rotation.js';
import './signing-keys/encryption.js';
import './housekeeping/housekeeping.js';
