import { createRequire } from 'node:module';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, pino, symbols } from 'pino';
import type { Config } from '../config/config.js';
import { BufferedOutput } from './buffered-output.js';
import { requestContext } from './request-context.js';
import { secretFields } from './secret-fields.js';
import { z } from 'zod';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings({
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

export const LOGGER = Symbol('logger');

/**
 * Logs JSON lines on standard output (ASVS 16.2.4), or readable lines in development. Headers and bodies are never logged,
 * and redaction is only a second defence. Errors are reduced, because those of TypeORM contain query parameters.
 */
export function createLogger(
  config: Pick<Config, 'LOG_LEVEL' | 'NODE_ENV'>,
  destination = standardOutput(config.NODE_ENV),
): Logger {
  return pino(
    {
      level: config.LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      mixin: () => {
        const context = requestContext();
        return context ? { requestId: context.requestId } : {};
      },
      serializers: { err: describeError },
      redact: {
        paths: secretFields().flatMap((name) => [`["${name}"]`, `*["${name}"]`]),
        censor: '[secret]',
      },
    },
    destination,
  );
}

/** Where a logger writes its lines, without redaction. */
export const outputOf = (logger: Logger): DestinationStream =>
  (logger as unknown as Record<symbol, DestinationStream>)[symbols.streamSym]!;

let buffered: BufferedOutput | undefined;

/** The lines of this process that were lost. Only the output of production can lose lines. */
export const lostLines = (): number => buffered?.lost ?? 0;

/** In production, all loggers of the process share one buffer, so that their lines do not mix. */
function standardOutput(environment: Config['NODE_ENV']): DestinationStream {
  if (environment === 'production') return (buffered ??= new BufferedOutput());
  return (environment === 'development' && prettyOutput()) || pino.destination({ dest: 1, sync: true });
}

/** Undefined if the development dependencies are not installed. */
function prettyOutput(): DestinationStream | undefined {
  try {
    const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
    return pretty({ singleLine: true, translateTime: 'SYS:HH:MM:ss.l', sync: true });
  } catch {
    return undefined;
  }
}

function describeError(error: unknown) {
  if (!(error instanceof Error)) return { message: typeof error };
  const { code } = error as Error & { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' ? { code } : {}),
  };
}

/** Sends Nest's messages to pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...rest: unknown[]) {
    this.#write('debug', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]) {
    this.#write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]) {
    this.#write('trace', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]) {
    this.#write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]) {
    this.#write('error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]) {
    this.#write('fatal', message, rest);
  }

  #write(level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal', message: unknown, rest: unknown[]) {
    const context = rest.findLast((item) => typeof item === 'string');
    // Nest also throws these errors, and fail() prints them.
    if (context === 'ExceptionHandler' || (context === 'NestApplication' && level === 'error')) return;
    if (message instanceof Error) this.pino[level]({ err: message, context }, message.message);
    else this.pino[level]({ context }, String(message));
  }
}
