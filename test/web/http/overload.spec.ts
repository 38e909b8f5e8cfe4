import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { TurnLimit } from '../../../src/web/http/overload.js';
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';

/** A request that keeps the processor busy for so many milliseconds. */
const busy = (ms: number) => `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Busy: ${ms}\r\n\r\n`;
const CONNECTIONS = 64;
/** The most that one connection gets answered at once. */
const TOGETHER = 16;

describe('overload', () => {
  const context = useServer({ fixture: 'test/web/http/overload.fixture.ts#busy' });

  async function open(): Promise<{ socket: Socket; text: () => string }> {
    const socket = connect(Number(new URL(context.server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    return { socket, text: () => text };
  }

  /** The answers of many requests that arrive while the server is busy with one. */
  async function answersAtOnce(): Promise<string[]> {
    const [first, ...clients] = await Promise.all(Array.from({ length: CONNECTIONS + 1 }, open));
    first!.socket.write(busy(500));
    for (const { socket } of clients) socket.write(busy(1).repeat(TOGETHER));
    const answers = () => clients.flatMap(({ text }) => text().split('HTTP/1.1 ').slice(1));
    await until(() => answers().length === CONNECTIONS * TOGETHER);
    for (const { socket } of [first!, ...clients]) socket.destroy();
    return answers();
  }

  it('refuses requests that come too late in a turn, and recovers at once', async () => {
    let answers: string[];
    let refused: string[];
    // On a busy machine, the requests can arrive too slowly for one turn to read them all.
    do {
      answers = await answersAtOnce();
      refused = answers.filter((answer) => answer.startsWith('503'));
    } while (refused.length === 0);
    expect(answers.filter((answer) => answer.startsWith('200'))).toHaveLength(
      answers.length - refused.length,
    );
    expect(refused[0]).toMatch(/^retry-after: 1\r$/im);
    expect(refused[0]).toMatch(/^x-content-type-options: nosniff\r$/im);
    const requestId = /^x-request-id: (.*)\r$/im.exec(refused[0]!)?.[1];
    expect(JSON.parse(refused[0]!.split('\r\n\r\n')[1]!)).toMatchObject({
      type: expect.stringMatching(/\/problems\/overloaded$/),
      status: 503,
      instance: requestId,
    });
    expect((await context.server.anonymous.get('/health/live')).status).toBe(200);
    const reported = async () =>
      (await context.server.entries())
        .filter(({ msg }) => msg === 'requests were refused, because the server is overloaded')
        .reduce((sum, { requests }) => sum + Number(requests), 0);
    await until(async () => (await reported()) === refused.length);
  });
});

describe('the limit of a turn', () => {
  afterEach(() => void jest.restoreAllMocks());

  /** Whether the last of so many requests of a turn is refused, if the turn has lasted so long. */
  function isRefused(requests: number, ms: number): boolean {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const turn = new TurnLimit();
    turn.isOver();
    now.mockReturnValue(ms);
    for (let i = 2; i < requests; i += 1) turn.isOver();
    return turn.isOver();
  }

  it.each([
    [501, 251, true],
    [501, 250, false],
    [500, 10_000, false],
  ])('of %d requests in %d ms: %s', (requests, ms, expected) => {
    expect(isRefused(requests, ms)).toBe(expected);
  });

  it('starts anew with each turn', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const turn = new TurnLimit();
    for (let i = 0; i < 501; i += 1) turn.isOver();
    now.mockReturnValue(251);
    expect(turn.isOver()).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(turn.isOver()).toBe(false);
  });
});
