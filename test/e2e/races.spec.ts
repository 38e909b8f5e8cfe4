// Together, since loading the application takes Jest more than a second for each file.
import './races/races.js';
import './races/barrier-races.js';
