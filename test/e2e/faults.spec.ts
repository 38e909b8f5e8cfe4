import './faults/feed-memory.js';
import './faults/feed.js';
import './faults/silent-pool.js';
import './faults/nodes.js';
