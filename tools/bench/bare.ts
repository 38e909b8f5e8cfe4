// What the framework alone costs: one route of Nest on Fastify, without logs, headers and authentication.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

@Controller('health')
class BareController {
  @Get('live')
  live() {
    return { status: 'ok' };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.on('SIGTERM', () => void app.close());
