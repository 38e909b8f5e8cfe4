import './faults/feed-memory.js';
import './faults/feed.js';
