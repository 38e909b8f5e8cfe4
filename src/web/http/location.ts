import type { FastifyReply } from 'fastify';

/** Names what a request made, relative to the URL of the request: under a prefix the router has it too. */
export function locate(reply: FastifyReply, relative: string): void {
  const { pathname } = new URL(relative, `http://server${reply.request.url}`);
  void reply.header('Location', pathname);
}
