// node scripts/watch.mjs FILE [ARGUMENT…]: runs dist/FILE, and again after each change of the sources.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { BuildError, compile, DIST, FOLDERS } from './compile.mjs';

const [file, ...rest] = process.argv.slice(2);
/** Editors write a file in several steps. */
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

/** While the sources do not compile, the program from before stays. */
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

/** A program that has failed waits for a change of its sources. One that is done ends the watch. */
function onExit(code) {
  if (code === 0) process.exit();
  console.error(`The program ended with ${code}. It starts again after the next change.`);
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
  // A file that vanishes, or that nobody can read, is an error of the watcher, which goes on.
  watch(folder, { recursive: true }, schedule).on('error', schedule);
schedule();
