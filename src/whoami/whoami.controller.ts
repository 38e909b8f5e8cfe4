import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Authenticated } from '../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import { Principal } from '../auth/principal.js';

export const Whoami = z
  .object({
    mode: z.string(),
    kind: z.enum(['person', 'machine', 'service-account']),
    subject: z
      .uuid()
      .meta({ description: 'The user, or the service account, that the credential speaks for' }),
    scopes: z.array(z.string()),
    authTime: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the person last proved who they are; null for a machine' }),
    amr: z.array(z.string()).meta({ description: 'How, as RFC 8176 names it' }),
    credentialId: z.string(),
  })
  .meta({ id: 'Whoami' });

/** What the server knows of a credential: the quickest way to see which mode a request came by. */
@ApiTags('whoami')
@Controller('v1/whoami')
export class WhoamiController {
  @Get()
  @Authenticated({ modes: 'any' })
  @ApiOperation({ summary: 'Show what your credential is' })
  @ApiResponse({ status: 200, description: 'The credential', standardSchema: Whoami })
  show(@CurrentPrincipal() { mode, kind, subject, scopes, authTime, amr, credentialId }: Principal) {
    return { mode, kind, subject, scopes: [...scopes], authTime: authTime ?? null, amr, credentialId };
  }
}
