// The built server without its security headers.
import { ServerResponse } from 'node:http';

const { createApp } = await import('../../dist/src/app.js');
const { openEnvironment } = await import('../../dist/src/commands/environment.js');

const { config } = await openEnvironment();
const app = await createApp(config);
const server = app.getHttpServer();
// Where Node keeps the class of the answers.
const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'ServerResponse');
if (!key) throw new Error('Node keeps the class of answers elsewhere');
server[key] = ServerResponse;
process.on('SIGTERM', () => void app.close().then(() => process.exit()));
await app.listen(config.PORT, config.HOST);
