// A process that starts the embedded PostgreSQL of a directory, says so, and stops it when its standard input ends;
// with --leave it just runs out of work. Its first argument is the compiled module.
import { pathToFileURL } from 'node:url';

const [module, directory, leave] = process.argv.slice(2);
const { startEmbeddedPostgres } = await import(pathToFileURL(module));
const server = await startEmbeddedPostgres({ directory, durable: false });
process.stdout.write(`${JSON.stringify({ url: server.url, owner: server.owner })}\n`);
if (leave !== '--leave') process.stdin.resume().once('end', () => void server.stop());
