// Together, since loading the application takes Jest more than a second for each file.
import './database/migrations.js';
import './database/database-down.js';
import './database/other-services.js';
import './database/pgbouncer.js';
import './database/read-only.js';
import './database/after-commit.js';
import './database/documented-role.js';
