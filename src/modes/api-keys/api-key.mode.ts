import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { adapt } from '../../auth/passport.js';
import { authorizationScheme } from '../../auth/presented-credential.js';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { machineScopes } from '../../auth/scopes.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    'api-key': true;
  }
}

/** The mode `api-key`: `X-API-Key: <key>` or `Authorization: ApiKey <key>`, looked up by its hash. */
@Injectable()
export class ApiKeyMode implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly verifier: ApiKeyVerifier,
  ) {}

  onModuleInit(): void {
    this.modes.register({
      name: 'api-key',
      scheme: 'ApiKey',
      carries: 'machine',
      ambient: false,
      canHold: (scope) => machineScopes().includes(scope),
      credentialHeaders: ['Authorization', 'X-API-Key'],
      strategies: {
        'api-key': inHeader('X-API-Key'),
        // The prefix of passport-headerapikey is case-sensitive, but schemes are not (RFC 9110 section 11.1).
        'api-key-authorization': inHeader('Authorization', (value) => value.replace(/^ApiKey +/i, '')),
      },
      present: (request) => {
        if (request.headers['x-api-key'] !== undefined) return 'api-key';
        return authorizationScheme(request) === 'apikey' ? 'api-key-authorization' : undefined;
      },
      // Always live: the lookup reads the key and its owner.
      verify: (key) => this.verifier.verify(key),
      securityScheme: {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'An API key. `Authorization: ApiKey <key>` works too.',
      },
    });
  }
}

/** `passReqToCallback` must be false: with it, one request without a key ends the process (passport-headerapikey 1.2.2). */
const inHeader = (header: string, keyIn?: (value: string) => string) =>
  adapt(HeaderAPIKeyStrategy, [{ header, prefix: '' }, false], keyIn);
