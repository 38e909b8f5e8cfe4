// Together, since they share the three processes.
import './nodes/revocations.js';
import './nodes/refresh.js';
import './nodes/rotation.js';
import './nodes/late-commits.js';
import './nodes/late-lookups.js';
import './nodes/usage.js';
