import './examples/api-client.js';
