import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { FastifyRequest } from 'fastify';
import { Repository } from 'typeorm';
import type { Principal } from '../auth/principal.js';
import { RequirementRegistry } from '../auth/requirements.js';
import { defineProblem, ProblemError } from '../platform/problems/problem.js';
import { TenantMember } from './tenant-member.entity.js';

declare module '../auth/requirements.js' {
  interface Requirements {
    tenant: true;
  }
}

const TENANT_REQUIRED = defineProblem({
  slug: 'tenant-required',
  status: 403,
  title: 'A tenant is required',
  about: 'The header `X-Tenant` must name a tenant of yours.',
});

export class TenantRequiredError extends ProblemError {
  constructor() {
    super(TENANT_REQUIRED, 'The header X-Tenant must name a tenant of yours.');
  }
}

/** `requires: { tenant: true }`: the request is for a tenant that the principal belongs to. */
@Injectable()
export class TenantRequirement implements OnModuleInit {
  constructor(
    private readonly requirements: RequirementRegistry,
    @InjectRepository(TenantMember) private readonly members: Repository<TenantMember>,
  ) {}

  onModuleInit(): void {
    this.requirements.register({
      name: 'tenant',
      about: 'Requires a tenant.',
      problems: [TENANT_REQUIRED.slug],
      check: (principal, request) => this.#check(principal, request),
    });
  }

  async #check({ subject }: Principal, { headers }: FastifyRequest): Promise<void> {
    const tenant = headers['x-tenant'];
    if (typeof tenant !== 'string' || !(await this.members.existsBy({ tenant, subjectId: subject })))
      throw new TenantRequiredError();
  }
}
