import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import {
  BadRequestException,
  ConflictException,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  Module,
  NotFoundException,
  type OnModuleInit,
  Param,
  ServiceUnavailableException,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import type { Fixture } from '../../support/in-process.js';

/** What a library, a called service or a mistake can throw. */
const FAULTS: Record<string, unknown> = {
  error: new Error('nobody should read this'),
  text: 'nobody should read this',
  nothing: undefined,
  'answer-of-a-service': Object.assign(new Error('nobody should read this'), { code: 'X', statusCode: 404 }),
  'full-disk': Object.assign(new Error('nobody should read this'), { code: 'FST_FULL', statusCode: 507 }),
  'missing-file': Object.assign(new Error('nobody should read this'), { code: 'ENOENT', syscall: 'open' }),
};

/** What a handler throws on purpose. */
const EXCEPTIONS: Record<string, HttpException> = {
  forbidden: new ForbiddenException('Not on Sundays'),
  'not-found': new NotFoundException('No such thing'),
  unavailable: new ServiceUnavailableException('the password of the queue is wrong'),
  'unavailable-with-fields': new ServiceUnavailableException({ queue: 'the password of the queue is wrong' }),
  conflict: new ConflictException({ message: 'Taken', free: ['ada2'], status: 200, instance: 'mine' }),
  typed: new ConflictException({ type: 'https://example.com/taken', title: 'Taken', detail: 'By Ada' }),
  list: new BadRequestException(['a must be a number', 'b must be a text']),
};

/** What plugins of Fastify throw, such as @fastify/multipart. */
const REFUSALS: Record<string, { code: string; message: string }> = {
  413: { code: 'FST_REQ_FILE_TOO_LARGE', message: 'request file too large' },
  406: { code: 'FST_INVALID_MULTIPART_CONTENT_TYPE', message: 'the request is not multipart' },
};

@Controller('v1/faults')
class FaultsController {
  @Get(':name')
  @Public()
  fail(@Param('name') name: string): never {
    throw FAULTS[name];
  }

  @Get('refusals/:status')
  @Public()
  refuse(@Param('status') status: string): never {
    const { code, message } = REFUSALS[status]!;
    throw Object.assign(new Error(message), { name: 'FastifyError', code, statusCode: Number(status) });
  }

  @Get('exceptions/:name')
  @Public()
  except(@Param('name') name: string): never {
    throw EXCEPTIONS[name]!;
  }
}

/** The open connections of the server, by the port of the client. */
@Injectable()
export class Connections implements OnModuleInit {
  readonly #open = new Map<number, Socket>();

  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const server: Server = this.host.httpAdapter.getHttpServer();
    server.on('connection', (socket) => {
      const port = socket.remotePort!;
      this.#open.set(port, socket);
      socket.on('close', () => this.#open.delete(port));
    });
  }

  /** Undefined if the connection is closed. */
  bytesRead(port: number): number | undefined {
    return this.#open.get(port)?.bytesRead;
  }
}

@Module({ controllers: [FaultsController], providers: [Connections] })
class FaultsModule {}

export const faults: Fixture = { modules: [FaultsModule] };
