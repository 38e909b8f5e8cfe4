import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiKeyNarrowing } from '../../modes/api-keys/api-key.narrowing.js';
import { ApiKeyRotation } from '../../modes/api-keys/api-key.rotation.js';
import {
  ApiKeyPage,
  ApiKeyView,
  CreateApiKey,
  CreatedApiKey,
  NarrowApiKey,
  RotateApiKey,
  showApiKey,
  showIssuedKey,
} from '../../modes/api-keys/api-keys.schemas.js';
import { ApiKeysService } from '../../modes/api-keys/api-keys.service.js';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { locate } from '../../web/http/location.js';
import { ResourceId } from '../../web/http/validation.js';
import { LOCATION } from '../../web/openapi/answer-headers.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { ServiceAccountsService } from './service-accounts.service.js';

/** What a person does with their own keys, an administrator does with those of a service. */
@ApiTags('administration')
@Controller('v1/admin/service-accounts/:id/api-keys')
@Authenticated({ modes: 'person', scopes: ['admin:service-accounts'], recentSignIn: true, live: true })
export class ServiceAccountKeysController {
  constructor(
    private readonly accounts: ServiceAccountsService,
    private readonly keys: ApiKeysService,
    private readonly narrowing: ApiKeyNarrowing,
    private readonly rotation: ApiKeyRotation,
  ) {}

  @Post()
  @MayAnswer('too-many-api-keys', 'rate-limited')
  @ApiOperation({ summary: 'Create a key of a service account' })
  @ApiResponse({
    status: 201,
    description: 'The key, shown this once',
    headers: LOCATION,
    standardSchema: CreatedApiKey,
  })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: CreateApiKey }) body: CreateApiKey,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const issued = await this.keys.create(principal, await this.accounts.require(id), body);
    locate(reply, `api-keys/${issued.row.id}`);
    return showIssuedKey(issued);
  }

  @Get()
  @ApiOperation({ summary: 'List the keys of a service account' })
  @ApiResponse({ status: 200, description: 'Newest first, expired ones too', standardSchema: ApiKeyPage })
  async list(
    @Param('id', { schema: ResourceId }) id: string,
    @Query({ schema: ListQuery }) query: ListQuery,
  ) {
    const rows = await this.keys.list(await this.accounts.require(id), pageQuery(query));
    return toPage(rows, query.limit, showApiKey);
  }

  @Get(':keyId')
  @ApiOperation({ summary: 'Show a key of a service account' })
  @ApiResponse({ status: 200, description: 'The key without its secret', standardSchema: ApiKeyView })
  async show(
    @Param('id', { schema: ResourceId }) id: string,
    @Param('keyId', { schema: ResourceId }) keyId: string,
  ) {
    return showApiKey(await this.keys.find(await this.accounts.require(id), keyId));
  }

  @Patch(':keyId')
  @MayAnswer('rate-limited')
  @ApiOperation({ summary: 'Rename or narrow a key of a service account' })
  @ApiResponse({ status: 200, description: 'The key as it is now', standardSchema: ApiKeyView })
  async narrow(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Param('keyId', { schema: ResourceId }) keyId: string,
    @Body({ schema: NarrowApiKey }) body: NarrowApiKey,
  ) {
    return showApiKey(await this.narrowing.narrow(principal, await this.accounts.require(id), keyId, body));
  }

  @Post(':keyId/rotation')
  @MayAnswer('rotation-conflict', 'rate-limited')
  @ApiBody({ required: false })
  @ApiOperation({ summary: 'Replace a key of a service account by a new one' })
  @ApiResponse({
    status: 201,
    description: 'The new key, shown this once',
    headers: LOCATION,
    standardSchema: CreatedApiKey,
  })
  async rotate(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Param('keyId', { schema: ResourceId }) keyId: string,
    @Body({ schema: RotateApiKey }) { overlapSeconds }: RotateApiKey,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const account = await this.accounts.require(id);
    const issued = await this.rotation.rotate(principal, account, keyId, overlapSeconds);
    locate(reply, `../${issued.row.id}`);
    return showIssuedKey(issued);
  }

  @Delete(':keyId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key of a service account' })
  @ApiResponse({ status: 204, description: 'It works no more' })
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Param('keyId', { schema: ResourceId }) keyId: string,
  ) {
    await this.keys.revoke(principal, await this.accounts.require(id), keyId);
  }
}
