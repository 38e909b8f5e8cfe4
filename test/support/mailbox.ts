import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A mail server: as much of RFC 5321 as it takes to be handed a mail. */
export class Mailbox {
  readonly mails: string[] = [];
  readonly server: Server;
  /** Says nothing to a client that connects, so that the client waits. */
  isSilent = false;
  readonly #waiting = new Set<Socket>();
  /** How many clients have connected. */
  connections = 0;
  refusesUs = false;

  constructor() {
    this.server = createServer((socket) => {
      this.connections += 1;
      socket.on('error', () => undefined);
      if (this.isSilent) {
        this.#waiting.add(socket);
        return;
      }
      let received = '';
      let inData = false;
      socket.write('220 mail.example.com\r\n');
      socket.on('data', (chunk) => {
        received += String(chunk);
        for (;;) {
          const end = received.indexOf(inData ? '\r\n.\r\n' : '\r\n');
          if (end < 0) return;
          const line = received.slice(0, end);
          received = received.slice(end + (inData ? 5 : 2));
          if (inData) this.#take(line);
          const starts = !inData && line === 'DATA';
          socket.write(starts ? '354 go on\r\n' : this.#answerTo(line));
          inData = starts;
        }
      });
    });
  }

  /** Returns the port. */
  async listen(port = 0): Promise<number> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
  }

  /** Closes the connections of clients that wait. */
  hangUp(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
  }

  #take(mail: string): void {
    this.mails.push(mail);
    this.server.emit('mail');
  }

  #answerTo(line: string): string {
    if (line === 'QUIT') return '221 bye\r\n';
    const isRefused = line.includes('TO:<nobody@') || (this.refusesUs && line.startsWith('MAIL FROM'));
    return isRefused ? '550 5.1.1 no such user\r\n' : '250 OK\r\n';
  }
}
