// The built server, which also runs its housekeeping when it gets SIGUSR2, and logs when that is done.
const { createApp } = await import('../../dist/src/app.js');
const { openEnvironment } = await import('../../dist/src/commands/environment.js');
const { HousekeepingService } = await import('../../dist/src/platform/housekeeping/housekeeping.service.js');

const { config } = await openEnvironment();
const app = await createApp(config);
const housekeeping = app.get(HousekeepingService, { strict: false });
process.on('SIGUSR2', () => void housekeeping.run().then((done) => console.log('housekept', done)));
process.on('SIGTERM', () => void app.close().then(() => process.exit()));
await app.listen(config.PORT, config.HOST);
