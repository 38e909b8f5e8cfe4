import type { FastifyReply } from 'fastify';

/** Sets `Location` to the new resource, relative to the URL of the request, so that it also works under a prefix. */
export function locate(reply: FastifyReply, relative: string): void {
  const { pathname } = new URL(relative, `http://server${reply.request.url}`);
  void reply.header('Location', pathname);
}
