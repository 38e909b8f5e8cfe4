// Together, since loading the application takes Jest more than a second for each file.
import './database/migrations.js';
import './database/database-down.js';
import './database/pgbouncer.js';
import './database/documented-role.js';
