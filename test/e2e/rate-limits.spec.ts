import './rate-limits/rate-limits.js';
import './rate-limits/redis.js';
