import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, ConfigError } from '../config/config.js';

/** What the system says of a name or an address that does not belong to this machine. */
const FOREIGN = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/** Returns the port. @throws ConfigError for a HOST that is none of this machine's */
export async function listen(
  app: NestFastifyApplication,
  { PORT, HOST }: Pick<Config, 'PORT' | 'HOST'>,
): Promise<number> {
  try {
    await app.listen(PORT, HOST);
  } catch (error) {
    if (!FOREIGN.has(String((error as NodeJS.ErrnoException).code))) throw error;
    throw new ConfigError(['HOST: must be a name or an address of this machine']);
  }
  return (app.getHttpServer().address() as { port: number }).port;
}
