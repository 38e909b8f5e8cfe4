// Together, since they share the three processes.
import './revocations.js';
import './refresh.js';
import './rotation.js';
import './late-commits.js';
import './late-lookups.js';
import './usage.js';
