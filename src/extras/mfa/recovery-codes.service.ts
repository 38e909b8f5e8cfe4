import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { isBase32, randomBase32 } from '../../platform/crypto/base32.js';
import { sha256 } from '../../platform/crypto/secret.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { User } from '../../accounts/users/user.entity.js';
import { RecoveryCode } from './mfa.entity.js';
import { RecoveryCodeInput } from './mfa.schemas.js';

const CODES = 10;
/** 120 bits, so that SHA-256 is enough to store a code (ASVS 6.5.2). */
const LENGTH = 24;
const GROUP = /.{6}(?=.)/g;

/** Codes that replace a lost factor. Each works once. */
@Injectable()
export class RecoveryCodesService {
  constructor(private readonly mails: MailQueue) {}

  /** Creates ten codes and deletes the old ones. */
  async replace(manager: EntityManager, userId: string): Promise<string[]> {
    const codes = Array.from({ length: CODES }, () => randomBase32(LENGTH));
    await this.removeAll(manager, userId);
    await manager.insert(
      RecoveryCode,
      codes.map((code) => ({ userId, codeHash: sha256(code) })),
    );
    return codes.map((code) => code.replaceAll(GROUP, '$&-'));
  }

  async removeAll(manager: EntityManager, userId: string): Promise<void> {
    await manager.delete(RecoveryCode, { userId });
  }

  /** Uses a code up and mails its owner. Returns why it is refused, or undefined. */
  async use(manager: EntityManager, { id: userId, email }: User, code: string): Promise<string | undefined> {
    const { affected } = await manager.delete(RecoveryCode, { userId, codeHash: sha256(code) });
    if (affected !== 1) return 'unknown or used recovery code';
    const left = await manager.countBy(RecoveryCode, { userId });
    await this.mails.add(manager, [
      {
        to: email,
        subject: 'A recovery code was used',
        text: `One of your recovery codes was used to prove who you are. ${left} are left.\nIf it was not you, change your password and replace your recovery codes.\n`,
      },
    ]);
    return undefined;
  }
}

const isRecoveryCode = (text: string): boolean => {
  const { data } = RecoveryCodeInput.safeParse(text);
  return data !== undefined && isBase32(data, LENGTH);
};

defineCredentialKind({
  name: 'recovery code',
  recognises: isRecoveryCode,
  examine: () => ({
    faults: [],
    facts: [['sent as', 'the field recoveryCode of a sign-in or reauthentication']],
    unchecked: 'whether it belongs to the person, and whether it was used or replaced',
  }),
});
