import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';

export const Whoami = z
  .object({
    mode: z.string().describe('How the credential came: `session`, `jwt`, `opaque` or `api-key`'),
    kind: z
      .enum(['person', 'machine', 'service-account'])
      .describe('Who is behind it: a person who signed in, a key of a person, or a key of a service account'),
    subject: z
      .uuid()
      .meta({ description: 'The user, or the service account, that the credential speaks for' }),
    scopes: z.array(z.string()).describe('What it can do'),
    authTime: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the person last proved who they are; null for a machine' }),
    amr: z.array(z.string()).meta({ description: 'How, as RFC 8176 names it' }),
    credentialId: z.string().describe('What a revocation names: a sign-in, the `jti` of a token, or a key'),
  })
  .meta({ id: 'Whoami', description: 'What the server knows of a credential' });

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
