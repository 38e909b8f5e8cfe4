import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';

export const Whoami = z
  .object({
    mode: z.string().describe('The mode: `session`, `jwt`, `opaque` or `api-key`'),
    kind: z
      .enum(['person', 'machine', 'service-account'])
      .describe('A person who signed in, a key of a person, or a key of a service account'),
    subject: z.uuid().meta({ description: 'The id of the user or service account' }),
    scopes: z.array(z.string()).describe('The scopes of the credential'),
    authTime: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the person last proved their identity. Null for a machine' }),
    amr: z.array(z.string()).meta({ description: 'How the person proved their identity (RFC 8176)' }),
    credentialId: z.string().describe('The id of the sign-in or key, or the `jti` of the token'),
  })
  .meta({ id: 'Whoami', description: 'The credential of a request' });

/** Shows the credential of a request. */
@ApiTags('whoami')
@Controller('v1/whoami')
export class WhoamiController {
  @Get()
  @Authenticated({ modes: 'any' })
  @ApiOperation({ summary: 'Show my credential' })
  @ApiResponse({ status: 200, description: 'The credential', standardSchema: Whoami })
  show(@CurrentPrincipal() { mode, kind, subject, scopes, authTime, amr, credentialId }: Principal) {
    return { mode, kind, subject, scopes: [...scopes], authTime: authTime ?? null, amr, credentialId };
  }
}
