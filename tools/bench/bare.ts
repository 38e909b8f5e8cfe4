// What the framework alone costs: Nest on Fastify, without logs, headers and authentication.
import 'reflect-metadata';
import { Controller, createParamDecorator, Get, Module, type PipeTransform } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

const CALLER = {
  mode: 'session',
  kind: 'person',
  subject: '01976000-0000-7000-8000-000000000001',
  scopes: ['account:security', 'events:write', 'orders:read', 'orders:write', 'profile:read', 'reports:read'],
  authTime: new Date(),
  amr: ['pwd'],
  credentialId: '01976000-0000-7000-8000-000000000002',
};

const Caller = createParamDecorator((_data, context) =>
  context.switchToHttp().getRequest<FastifyRequest>().is404 ? undefined : CALLER,
);

@Controller()
class BareController {
  @Get('health/live')
  live() {
    return { status: 'ok' };
  }

  /** The answer of the route that the modes are measured with, for a caller that is always the same. */
  @Get('v1/whoami')
  show(@Caller() caller: typeof CALLER) {
    return { ...caller, scopes: [...caller.scopes] };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
  logger: false,
});
const pipe: PipeTransform = { transform: (value: unknown) => value };
app.useGlobalPipes(pipe);
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.on('SIGTERM', () => void app.close());
