import { Body, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated, type AuthenticatedOptions } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { ApiKeyNarrowing } from '../../modes/api-keys/api-key.narrowing.js';
import type { KeyHolder } from '../../modes/api-keys/api-key.owners.js';
import { ApiKeyRotation } from '../../modes/api-keys/api-key.rotation.js';
import { CreateApiKey, NarrowApiKey } from '../../modes/api-keys/api-keys.schemas.js';
import { ApiKeysService } from '../../modes/api-keys/api-keys.service.js';
import { locate } from '../../web/http/location.js';
import { ResourceId } from '../../web/http/validation.js';
import { LOCATION } from '../../web/openapi/answer-headers.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import {
  ApiKeyPage,
  ApiKeyView,
  CreatedApiKey,
  RotateApiKey,
  showApiKey,
  showIssuedKey,
} from './api-key-views.js';

interface Declared {
  /** For listing and showing. */
  readonly read: AuthenticatedOptions;
  /** For narrowing and revoking. */
  readonly change: AuthenticatedOptions;
  /** For creating and rotating. */
  readonly issue: AuthenticatedOptions;
  /** The words of the API reference for one key and for all keys. */
  readonly key: string;
  readonly keys: string;
  /** The path parameter with the id of the key. */
  readonly keyId: string;
  /** The path parameter with the id of the owner, if the owner is not the caller. */
  readonly ownerId?: string;
}

const NEW_KEY = {
  status: 201,
  description: 'The key, shown only in this answer',
  headers: LOCATION,
  standardSchema: CreatedApiKey,
};

/** The routes for the keys of an owner. A controller extends the class and names the owner. */
export function ApiKeyRoutes({ read, change, issue, key, keys, keyId, ownerId }: Declared) {
  const KeyId = () => Param(keyId, { schema: ResourceId });
  const OwnerId = (): ParameterDecorator =>
    ownerId === undefined ? () => undefined : Param(ownerId, { schema: ResourceId });

  abstract class Routes {
    constructor(
      protected readonly keys: ApiKeysService,
      protected readonly narrowing: ApiKeyNarrowing,
      protected readonly rotation: ApiKeyRotation,
    ) {}

    /** @throws NotFoundError if the owner does not exist */
    protected abstract holderOf(by: Principal, ownerId: string | undefined): KeyHolder | Promise<KeyHolder>;

    @Post()
    @Authenticated(issue)
    @MayAnswer('too-many-api-keys', 'rate-limited')
    @ApiOperation({ summary: `Create ${key}` })
    @ApiResponse(NEW_KEY)
    async create(
      @CurrentPrincipal() principal: Principal,
      @OwnerId() owner: string | undefined,
      @Body({ schema: CreateApiKey }) body: CreateApiKey,
      @Res({ passthrough: true }) reply: FastifyReply,
    ) {
      const issued = await this.keys.create(await this.holderOf(principal, owner), body);
      locate(reply, `api-keys/${issued.row.id}`);
      return showIssuedKey(issued);
    }

    @Get()
    @Authenticated(read)
    @ApiOperation({ summary: `List ${keys}` })
    @ApiResponse({
      status: 200,
      description: 'Newest first, including expired keys',
      standardSchema: ApiKeyPage,
    })
    async list(
      @CurrentPrincipal() principal: Principal,
      @OwnerId() owner: string | undefined,
      @Query({ schema: ListQuery }) query: ListQuery,
    ) {
      const holder = await this.holderOf(principal, owner);
      return toPage(await this.keys.list(holder.ownerId, pageQuery(query)), query.limit, showApiKey);
    }

    @Get(`:${keyId}`)
    @Authenticated(read)
    @ApiOperation({ summary: `Show ${key}` })
    @ApiResponse({ status: 200, description: 'The key without its secret', standardSchema: ApiKeyView })
    async show(
      @CurrentPrincipal() principal: Principal,
      @OwnerId() owner: string | undefined,
      @KeyId() id: string,
    ) {
      return showApiKey(await this.keys.find((await this.holderOf(principal, owner)).ownerId, id));
    }

    @Patch(`:${keyId}`)
    @Authenticated(change)
    @MayAnswer('rate-limited')
    @ApiOperation({ summary: `Rename or narrow ${key}` })
    @ApiResponse({ status: 200, description: 'The updated key', standardSchema: ApiKeyView })
    async narrow(
      @CurrentPrincipal() principal: Principal,
      @OwnerId() owner: string | undefined,
      @KeyId() id: string,
      @Body({ schema: NarrowApiKey }) body: NarrowApiKey,
    ) {
      return showApiKey(await this.narrowing.narrow(await this.holderOf(principal, owner), id, body));
    }

    @Post(`:${keyId}/rotation`)
    @Authenticated(issue)
    @MayAnswer('rotation-conflict', 'insufficient-scope', 'rate-limited')
    @ApiBody({ required: false })
    @ApiOperation({
      summary: `Rotate ${key}`,
      description: 'Both keys work until the overlap ends. The caller must have all scopes of the key.',
    })
    @ApiResponse({ ...NEW_KEY, description: 'The new key, shown only in this answer' })
    async rotate(
      @CurrentPrincipal() principal: Principal,
      @OwnerId() owner: string | undefined,
      @KeyId() id: string,
      @Body({ schema: RotateApiKey }) { overlapSeconds }: RotateApiKey,
      @Res({ passthrough: true }) reply: FastifyReply,
    ) {
      const issued = await this.rotation.rotate(await this.holderOf(principal, owner), id, overlapSeconds);
      locate(reply, `../${issued.row.id}`);
      return showIssuedKey(issued);
    }

    @Delete(`:${keyId}`)
    @HttpCode(204)
    @Authenticated(change)
    @ApiOperation({ summary: `Revoke ${key}` })
    @ApiResponse({ status: 204, description: 'The key is revoked' })
    async revoke(
      @CurrentPrincipal() principal: Principal,
      @OwnerId() owner: string | undefined,
      @KeyId() id: string,
    ) {
      await this.keys.revoke(await this.holderOf(principal, owner), id);
    }
  }
  return Routes;
}
