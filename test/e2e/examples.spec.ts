// Together, since loading the application takes Jest more than a second for each file.
import './examples/orders.js';
import './examples/events.js';
import './examples/whoami.js';
import './examples/resource-server.js';
import './examples/readme.js';
