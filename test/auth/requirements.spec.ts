import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, type OnModuleInit } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { Authenticated } from '../../src/auth/authenticated.decorator.js';
import { RequirementRegistry } from '../../src/auth/requirements.js';
import { defineProblem, ProblemError } from '../../src/platform/problems/problem.js';
import { InProcessServer } from '../support/in-process.js';
import { sessionOf } from '../support/modes/session.js';
import { useStarted } from '../support/server.js';

declare module '../../src/auth/requirements.js' {
  interface Requirements {
    parcel: 'sealed' | 'open';
  }
}

const PARCEL_REQUIRED = defineProblem({
  slug: 'parcel-required',
  status: 403,
  title: 'A parcel is required',
  about: 'Send the header `X-Parcel`.',
});

class ParcelRequiredError extends ProblemError {
  constructor() {
    super(PARCEL_REQUIRED, 'Send the header X-Parcel.');
  }
}

@Controller('parcels')
class ParcelsController {
  @Get()
  @Authenticated({ modes: 'any', scopes: ['probes:read'], requires: { parcel: 'sealed' } })
  @ApiResponse({ status: 200 })
  list() {
    return [];
  }

  @Get('for-administrators')
  @Authenticated({ modes: 'any', scopes: ['admin:users'], requires: { parcel: 'open' } })
  @ApiResponse({ status: 200 })
  listAll() {
    return [];
  }
}

@Module({ controllers: [ParcelsController] })
class ParcelsModule implements OnModuleInit {
  constructor(private readonly requirements: RequirementRegistry) {}

  onModuleInit(): void {
    this.requirements.register({
      name: 'parcel',
      about: 'Requires a parcel.',
      problems: ['parcel-required'],
      async check(principal, request, declared) {
        if (request.headers['x-parcel'] !== `${String(declared)} ${principal.subject}`)
          throw new ParcelRequiredError();
      },
    });
  }
}

describe('a requirement of a room', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [ParcelsModule] }));

  it('is checked with the principal, the request and what the route declares', async () => {
    const person = await context.server.person();
    const client = await sessionOf(person);
    const get = (parcel: string) => client.get('/parcels', { headers: { 'X-Parcel': parcel } });
    expect((await get(`sealed ${person.id}`)).status).toBe(200);
    expect(await get(`open ${person.id}`)).toMatchObject({ status: 403, problem: 'parcel-required' });
    expect(await client.get('/parcels')).toMatchObject({ status: 403, problem: 'parcel-required' });
  });

  it('is checked after the credential and its scopes', async () => {
    expect((await context.server.anonymous.get('/parcels')).problem).toBe('credential-required');
    const client = await sessionOf(await context.server.person());
    expect((await client.get('/parcels/for-administrators')).problem).toBe('insufficient-scope');
  });

  it('is in the log as every other refusal', async () => {
    const client = await sessionOf(await context.server.person());
    await client.get('/parcels');
    expect(context.server.entries()).toContainEqual(
      expect.objectContaining({ event: 'request.refused', problem: 'parcel-required' }),
    );
  });

  it('is in the API reference with its problem', async () => {
    const { get } = (await context.server.anonymous.get('/openapi.json')).body.paths['/parcels'];
    expect(get.description).toContain('Requires a parcel.');
    expect(get.responses['403'].description).toContain('`parcel-required`');
  });

  it('can be registered once only', () => {
    const registry = context.server.app.get(RequirementRegistry);
    const again = { name: 'parcel', about: '', problems: [], check: () => undefined } as const;
    expect(() => registry.register(again)).toThrow('the requirement "parcel" is registered twice');
  });
});
