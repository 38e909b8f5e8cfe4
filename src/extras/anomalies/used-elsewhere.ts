import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { requestContext } from '../../platform/logging/request-context.js';
import { PeriodicWrite, UNWRITTEN } from '../../platform/lookup/periodic-write.js';
import { Alarms } from './alarms.service.js';
import { assessUse, type Source } from './assessment.js';
import { currentSource } from './current-source.js';

const INTERVAL_MS = 1_000;
/** Above these limits, the memory starts anew, or a use waits for the next request. */
const MAX_REMEMBERED = 10_000;
const MAX_WAITING = 1_000;

interface Use extends Source {
  readonly signInId: string;
}

interface Made extends Source {
  id: string;
  userId: string;
}

/**
 * Notices a session or refresh token that is used from elsewhere. A request only compares two texts in memory. What differs
 * from the request before is compared with the sign-in in a batch.
 */
@Injectable()
export class UsedElsewhere implements OnModuleInit, OnApplicationShutdown {
  readonly #last = new Map<string, Use>();
  #waiting: Use[] = [];
  readonly #periodic: PeriodicWrite;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly alarms: Alarms,
    @Inject(LOGGER) logger: Logger,
    instruments: Instruments,
  ) {
    this.#periodic = new PeriodicWrite(
      INTERVAL_MS,
      () => this.#check(),
      (err) => logger.error({ err }, 'could not check where sign-ins are used, will try again'),
    );
    instruments.add(UNWRITTEN, () => this.#waiting.length, { queue: 'sign-in-uses' });
  }

  onModuleInit(): void {
    this.signIns.onUse((id) => this.note(id));
  }

  note(signInId: string): void {
    const context = requestContext();
    if (!context) return;
    const last = this.#last.get(signInId);
    if (last && last.ip === context.ip && last.userAgent === (context.userAgent ?? null)) return;
    if (this.#waiting.length >= MAX_WAITING) return;
    if (this.#last.size >= MAX_REMEMBERED) this.#last.clear();
    this.#last.set(signInId, { signInId, ip: context.ip, userAgent: context.userAgent ?? null });
    this.#waiting.push({ signInId, ...currentSource() });
  }

  /** Checks the noted uses now. Never rejects. */
  flush(): Promise<void> {
    return this.#periodic.flush();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#periodic.stop();
  }

  async #check(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const uses = [...this.#waiting];
    const rows: Made[] = await this.dataSource.query(
      `SELECT /* after requests */ id, user_id AS "userId", ip, user_agent AS "userAgent" FROM sign_ins
       WHERE id = ANY($1) AND ended_at IS NULL`,
      [uses.map(({ signInId }) => signInId)],
    );
    const made = new Map(rows.map((row) => [row.id, row]));
    for (const use of uses) {
      await this.#compare(made.get(use.signInId), use);
      this.#waiting.shift();
    }
  }

  async #compare(made: Made | undefined, { signInId, ip, userAgent }: Use): Promise<void> {
    if (!made) return;
    const assessment = assessUse(made, { ip, userAgent });
    if (assessment.score === 0) return;
    const occasion = { userId: made.userId, signInId, occasion: 'use' as const, ip, userAgent };
    await this.dataSource.transaction(async (manager) => {
      // It can have been deleted meanwhile.
      const rows: unknown[] = await manager.query('SELECT 1 FROM sign_ins WHERE id = $1 FOR KEY SHARE', [
        signInId,
      ]);
      if (rows.length > 0) await this.alarms.raise(manager, occasion, assessment);
    });
  }
}
