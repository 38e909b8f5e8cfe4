import { describe, expect, it } from '@jest/globals';
import { useServer } from '../support/server.js';

describe('a credential in the URL', () => {
  const context = useServer();

  it.each([
    ['/v1/probes?Access_Token=x', 'in other letters'],
    ['/v1/probes?%74oken=x', 'encoded'],
    ['/v1/probes?token', 'empty'],
    ['/v1/probes?limit=1&session=x', 'after others'],
    ['/nowhere?api_key=x', 'where there is no route'],
  ])('[V14.2.1] [RFC 9700 4.3] is refused in %s: %s', async (path) => {
    const { status, problem } = await context.server.anonymous.get(path);
    expect({ status, problem }).toEqual({ status: 400, problem: 'credential-in-url' });
  });

  it('is no other parameter', async () => {
    const { problem } = await context.server.anonymous.get('/v1/probes?tokens=x');
    expect(problem).toBe('credential-required');
  });
});
