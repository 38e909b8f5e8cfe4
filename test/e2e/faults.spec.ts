// Together, since loading the application takes Jest more than a second for each file.
import './faults/failover.js';
import './faults/feed-memory.js';
import './faults/feed.js';
import './faults/many-revocations.js';
import './faults/silent-pool.js';
import './faults/nodes.js';
