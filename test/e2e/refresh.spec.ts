// Together, since loading the application takes Jest more than a second for each file.
import './refresh/refresh.js';
import './refresh/refresh-cookie.js';
import './refresh/refresh-races.js';
