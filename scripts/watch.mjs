// node scripts/watch.mjs FILE [ARGUMENT…]: runs dist/FILE, and restarts it on changes of the sources.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { BuildError, compile, DIST, FOLDERS } from './compile.mjs';

const [file, ...rest] = process.argv.slice(2);
/** Editors can write a file in several steps. */
const QUIET_MS = 50;
let child;
let timer;
let restarting = Promise.resolve();

const runs = () => child && child.exitCode === null && child.signalCode === null;

async function stop(signal = 'SIGTERM') {
  if (!runs()) return;
  child.removeListener('exit', onExit);
  child.kill(signal);
  await once(child, 'exit');
}

/** If the sources do not compile, the old program keeps running. */
async function restart() {
  try {
    if (!(await compile()) && runs()) return;
  } catch (error) {
    console.error(error instanceof BuildError ? error.message : error);
    return;
  }
  await stop();
  child = spawn(process.execPath, ['--enable-source-maps', join(DIST, file), ...rest], { stdio: 'inherit' });
  child.once('exit', onExit);
}

/** Success ends the watch. After a failure, the next change restarts the program. */
function onExit(code) {
  if (code === 0) process.exit();
  console.error(`The program exited with ${code}. It restarts on the next change.`);
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(() => void (restarting = restarting.then(restart)), QUIET_MS);
}

async function end(signal) {
  clearTimeout(timer);
  await restarting;
  await stop(signal);
  process.exit();
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end(signal));
for (const folder of FOLDERS.filter(existsSync))
  // Deleted and unreadable files cause errors, but the watcher continues.
  watch(folder, { recursive: true }, schedule).on('error', schedule);
schedule();
