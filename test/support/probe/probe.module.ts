import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { defineScopes } from '../../../src/auth/scopes.js';
// room: api-keys
import { ApiKeysModule } from '../../../src/modes/api-keys/api-keys.module.js';
import { IssuedKeys } from './issued-keys.js';
// /room
import { ProbeController } from './probe.controller.js';
import { Probe } from './probe.entity.js';

declare module '../../../src/auth/scopes.js' {
  interface Scopes {
    'probes:read': true;
    'probes:write': true;
  }
}

defineScopes({
  'probes:read': { about: 'Read your probes' },
  'probes:write': { about: 'Make and delete your probes' },
});

/** The resource of the tests. Every server of the tests has it, and no server outside them. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Probe]),
    // room: api-keys
    ApiKeysModule,
    // /room
  ],
  controllers: [ProbeController],
  providers: [
    // room: api-keys
    IssuedKeys,
    // /room
  ],
})
export class ProbeModule {}
