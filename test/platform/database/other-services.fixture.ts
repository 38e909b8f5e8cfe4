import { once } from 'node:events';
import { get } from 'node:http';
import pg from 'pg';
import { Controller, Get, Module } from '@nestjs/common';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import type { Fixture } from '../../support/in-process.js';

/** What a project adds: handlers that call services that cannot be reached. */
@Controller('v1/weather')
class WeatherController {
  @Get('refused')
  @Public()
  async refused() {
    await once(get('http://127.0.0.1:1/'), 'response');
  }

  @Get('unknown')
  @Public()
  async unknown() {
    await once(get('http://no-such-host.invalid/'), 'response');
  }

  @Get('database')
  @Public()
  async database() {
    await new pg.Client('postgres://127.0.0.1:1/weather').connect();
  }
}

@Module({ controllers: [WeatherController] })
class WeatherModule {}

export const weather: Fixture = { modules: [WeatherModule] };
