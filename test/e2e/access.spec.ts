// Together, since loading the application takes Jest more than a second for each file.
import './access/access-matrix.js';
import './access/access-table.js';
import './access/declarations.js';
import './access/paths.js';
import './access/strategies.js';
import './access/costs.js';
