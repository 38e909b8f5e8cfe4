import { fork } from 'node:child_process';
import { join } from 'node:path';
import { TestEnvironment } from 'jest-environment-node';

/**
 * The process that runs the servers of one Jest worker. It loads the application once; a test file that speaks HTTP
 * only does not load it at all.
 */
class ServersProcess {
  #waiting = new Map();
  #id = 0;

  constructor(onExit) {
    this.child = fork(join(process.env.TEST_BUILD, 'test/support/servers.main.js'), [], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.child.on('message', ({ id, value, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    this.child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the servers ended with ${code}`));
      onExit();
    });
    // The worker ends when Jest has no more files for it. The child ends when its channel closes.
    this.child.unref();
    this.child.channel.unref();
  }

  call(server, method, ...options) {
    const id = (this.#id += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.send({ id, server, method, options });
    });
  }
}

let servers;
let count = 0;

export default class ServersEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    /** The number of a server that does not exist yet. */
    this.global.nextServer = () => (count += 1);
    this.global.callServers = (...call) =>
      (servers ??= new ServersProcess(() => (servers = undefined))).call(...call);
  }
}
