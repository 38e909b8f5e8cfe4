import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { locate } from '../../web/http/location.js';
import { ResourceId } from '../../web/http/validation.js';
import { LOCATION } from '../../web/openapi/answer-headers.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { ApiKeyNarrowing } from './api-key.narrowing.js';
import { ApiKeyRotation } from './api-key.rotation.js';
import {
  ApiKeyPage,
  ApiKeyView,
  CreateApiKey,
  CreatedApiKey,
  NarrowApiKey,
  RotateApiKey,
  showApiKey,
  showIssuedKey,
} from './api-keys.schemas.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('api-keys')
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly narrowing: ApiKeyNarrowing,
    private readonly rotation: ApiKeyRotation,
  ) {}

  @Post()
  @Authenticated({ modes: 'person', scopes: ['api-keys:write'], recentSignIn: true, live: true })
  @MayAnswer('too-many-api-keys', 'rate-limited')
  @ApiOperation({ summary: 'Create a key' })
  @ApiResponse({
    status: 201,
    description: 'The key, shown this once',
    headers: LOCATION,
    standardSchema: CreatedApiKey,
  })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateApiKey }) body: CreateApiKey,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const issued = await this.keys.create(principal, principal.userId, body);
    locate(reply, `api-keys/${issued.row.id}`);
    return showIssuedKey(issued);
  }

  @Get()
  @Authenticated({ modes: 'person', scopes: ['api-keys:read'] })
  @ApiOperation({ summary: 'List your keys' })
  @ApiResponse({ status: 200, description: 'Newest first, expired ones too', standardSchema: ApiKeyPage })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    return toPage(await this.keys.list(principal.userId, pageQuery(query)), query.limit, showApiKey);
  }

  @Get(':id')
  @Authenticated({ modes: 'person', scopes: ['api-keys:read'] })
  @ApiOperation({ summary: 'Show a key' })
  @ApiResponse({ status: 200, description: 'The key without its secret', standardSchema: ApiKeyView })
  async show(@CurrentPrincipal() principal: Principal, @Param('id', { schema: ResourceId }) id: string) {
    return showApiKey(await this.keys.find(principal.userId, id));
  }

  @Patch(':id')
  @Authenticated({ modes: 'person', scopes: ['api-keys:write'], live: true })
  @MayAnswer('rate-limited')
  @ApiOperation({ summary: 'Rename or narrow a key' })
  @ApiResponse({ status: 200, description: 'The key as it is now', standardSchema: ApiKeyView })
  async narrow(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: NarrowApiKey }) body: NarrowApiKey,
  ) {
    return showApiKey(await this.narrowing.narrow(principal, principal.userId, id, body));
  }

  @Post(':id/rotation')
  @Authenticated({ modes: 'person', scopes: ['api-keys:write'], recentSignIn: true, live: true })
  @MayAnswer('rotation-conflict', 'insufficient-scope', 'rate-limited')
  @ApiBody({ required: false })
  @ApiOperation({
    summary: 'Replace a key by a new one',
    description: 'Both work until the overlap ends. The caller must hold all that the key holds.',
  })
  @ApiResponse({
    status: 201,
    description: 'The new key, shown this once',
    headers: LOCATION,
    standardSchema: CreatedApiKey,
  })
  async rotate(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: RotateApiKey }) { overlapSeconds }: RotateApiKey,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const issued = await this.rotation.rotate(principal, principal.userId, id, overlapSeconds);
    locate(reply, `../${issued.row.id}`);
    return showIssuedKey(issued);
  }

  @Delete(':id')
  @HttpCode(204)
  @Authenticated({ modes: 'person', scopes: ['api-keys:write'], live: true })
  @ApiOperation({ summary: 'Revoke a key' })
  @ApiResponse({ status: 204, description: 'It works no more' })
  async revoke(@CurrentPrincipal() principal: Principal, @Param('id', { schema: ResourceId }) id: string) {
    await this.keys.revoke(principal, principal.userId, id);
  }
}
