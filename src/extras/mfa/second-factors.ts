import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';

/** The second factors of a user. */
export interface EnrolledFactors {
  readonly totp: boolean;
  readonly passkeys: number;
  readonly recoveryCodes: number;
}

const ENROLLED = `
  SELECT EXISTS (SELECT FROM totp_factors t WHERE t.user_id = $1 AND t.activated_at IS NOT NULL) AS totp,
    (SELECT count(*) FROM passkeys p WHERE p.user_id = $1)::int AS passkeys,
    (SELECT count(*) FROM recovery_codes r WHERE r.user_id = $1)::int AS "recoveryCodes"`;

/** Recovery codes do not count as a factor. */
export const hasFactor = ({ totp, passkeys }: EnrolledFactors): boolean => totp || passkeys > 0;

/** Finds the second factors of users. */
@Injectable()
export class SecondFactors {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async of(userId: string, manager: EntityManager = this.dataSource.manager): Promise<EnrolledFactors> {
    const [enrolled]: EnrolledFactors[] = await manager.query(ENROLLED, [userId]);
    return enrolled!;
  }

  /** Removes all factors, codes and challenges of a user. The caller must hold the lock of the user's row. */
  async removeAll(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `WITH totp AS (DELETE FROM totp_factors WHERE user_id = $1),
         codes AS (DELETE FROM recovery_codes WHERE user_id = $1),
         challenges AS (DELETE FROM mfa_challenges WHERE user_id = $1)
       DELETE FROM passkeys WHERE user_id = $1`,
      [userId],
    );
  }
}
