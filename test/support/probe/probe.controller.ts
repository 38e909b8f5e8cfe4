import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { LessThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { Authenticated, Public } from '../../../src/auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../../src/auth/current-principal.decorator.js';
import { Principal } from '../../../src/auth/principal.js';
import { NotFoundError } from '../../../src/platform/problems/not-found.js';
import { locate } from '../../../src/web/http/location.js';
import { ResourceId, text } from '../../../src/web/http/validation.js';
import { LOCATION } from '../../../src/web/openapi/answer-headers.js';
import { ListQuery, pageOf, pageQuery, toPage } from '../../../src/web/pagination/page.js';
import { Probe } from './probe.entity.js';

const CreateProbe = z
  .strictObject({ note: text(1, 200).describe('Any text') })
  .meta({ id: 'CreateProbe', description: 'A new probe' });
type CreateProbe = z.infer<typeof CreateProbe>;
const ProbeView = z
  .object({ id: z.uuid().describe('Names the probe'), note: z.string().describe('Its text') })
  .meta({ id: 'Probe', description: 'A probe' });
const ProbePage = pageOf(ProbeView, 'ProbePage');
const show = ({ id, note }: Probe) => ({ id, note });

const ProbeEcho = z
  .strictObject({
    note: text(1, 200).describe('Any text'),
    data: z.record(z.string(), z.unknown()).optional().describe('Any JSON'),
  })
  .meta({ id: 'ProbeEcho', description: 'What the server answers' });
type ProbeEcho = z.infer<typeof ProbeEcho>;

const PrincipalView = z
  .object({
    mode: z.string().describe('The mode of the credential'),
    kind: z.string().describe('A person or a machine'),
    subject: z.uuid().describe('The owner of the credential'),
    scopes: z.array(z.string()).describe('What it can do'),
    authTime: z.iso.datetime().nullable().describe('When the person signed in'),
    amr: z.array(z.string()).describe('How the person signed in'),
    credentialId: z.string().describe('What a revocation names'),
  })
  .meta({ id: 'PrincipalView', description: 'What a handler knows of a caller' });

@ApiTags('probes')
@Controller('v1/probes')
export class ProbeController {
  constructor(@InjectRepository(Probe) private readonly probes: Repository<Probe>) {}

  /** For every credential, whatever its scopes. */
  @Get('principal')
  @Authenticated({ modes: 'any' })
  @ApiOperation({ summary: 'Show the principal' })
  @ApiResponse({ status: 200, description: 'The principal', standardSchema: PrincipalView })
  principal(@CurrentPrincipal() { mode, kind, subject, scopes, authTime, amr, credentialId }: Principal) {
    return { mode, kind, subject, scopes: [...scopes], authTime: authTime ?? null, amr, credentialId };
  }

  /** For every credential that is still alive in the database. */
  @Get('live')
  @Authenticated({ modes: 'any', live: true })
  @ApiOperation({ summary: 'Show the principal, checked now' })
  @ApiResponse({ status: 200, description: 'The principal', standardSchema: PrincipalView })
  live(@CurrentPrincipal() principal: Principal) {
    return this.principal(principal);
  }

  /** What a body is to a handler. It needs no credential and no database. */
  @Post('echo')
  @HttpCode(202)
  @Public()
  @ApiOperation({ summary: 'Answer with the body' })
  @ApiResponse({ status: 202, description: 'The body', standardSchema: ProbeEcho })
  echo(@Body({ schema: ProbeEcho }) body: ProbeEcho) {
    return body;
  }

  @Get()
  @Authenticated({ modes: 'any', scopes: ['probes:read'] })
  @ApiOperation({ summary: 'List my probes' })
  @ApiResponse({ status: 200, description: 'Newest first', standardSchema: ProbePage })
  async list(@CurrentPrincipal() { subject }: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    const { limit, after } = pageQuery(query);
    const where = { ownerId: subject, ...(after !== undefined && { id: LessThan(after) }) };
    const found = await this.probes.find({ where, order: { id: 'DESC' }, take: limit + 1 });
    return toPage(found, query.limit, show);
  }

  @Post()
  @Authenticated({ modes: 'any', scopes: ['probes:write'] })
  @ApiOperation({ summary: 'Make a probe' })
  @ApiResponse({ status: 201, description: 'The probe', headers: LOCATION, standardSchema: ProbeView })
  async create(
    @CurrentPrincipal() { subject }: Principal,
    @Body({ schema: CreateProbe }) { note }: CreateProbe,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const probe = this.probes.create({ id: uuidv7(), ownerId: subject, note });
    await this.probes.insert(probe);
    locate(reply, `probes/${probe.id}`);
    return show(probe);
  }

  @Get(':id')
  @Authenticated({ modes: 'any', scopes: ['probes:read'], resource: 'probes/:id' })
  @ApiOperation({ summary: 'Show a probe' })
  @ApiResponse({ status: 200, description: 'The probe', standardSchema: ProbeView })
  async show(@CurrentPrincipal() { subject }: Principal, @Param('id', { schema: ResourceId }) id: string) {
    const probe = await this.probes.findOneBy({ id, ownerId: subject });
    if (!probe) throw new NotFoundError();
    return show(probe);
  }

  @Delete(':id')
  @HttpCode(204)
  @Authenticated({ modes: 'any', scopes: ['probes:write'], resource: 'probes/:id' })
  @ApiOperation({ summary: 'Delete a probe' })
  @ApiResponse({ status: 204, description: 'The probe is deleted' })
  async remove(@CurrentPrincipal() { subject }: Principal, @Param('id', { schema: ResourceId }) id: string) {
    const { affected } = await this.probes.delete({ id, ownerId: subject });
    if (affected !== 1) throw new NotFoundError();
  }
}
