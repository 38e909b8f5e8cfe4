import { verify } from '@node-rs/bcrypt';
import type { ForeignHash } from '../../platform/crypto/foreign-hashes.js';

/** `$2x$` is a known faulty variant, and is not accepted. */
const FORMAT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** The default of Laravel and PHP. Each step doubles the time: 12 takes 0.2 to 0.4 s. */
const HIGHEST_COST = 12;
const LOWEST_COST = 4;
/** bcrypt ignores what follows. */
const KEY_BYTES = 72;

/** Hashes of bcrypt, as most web frameworks write them. */
export const bcrypt: ForeignHash = {
  recognises: (stored) => stored.startsWith('$2'),
  faultOf: (stored) => {
    const cost = Number(FORMAT.exec(stored)?.[1]);
    if (Number.isNaN(cost) || cost < LOWEST_COST) return 'stored bcrypt hash is malformed';
    return cost > HIGHEST_COST ? 'stored bcrypt hash has a cost that is too high' : undefined;
  },
  verify: async (stored, password) => isWhole(password) && verify(password, stored),
};

/**
 * bcrypt does not read all of some passwords: it stops after 72 bytes, and repeats the password after a NUL byte, so that
 * `a` and `a\0a` have the same hash. A part of a password must not be enough (ASVS 6.2.8).
 */
const isWhole = (password: string): boolean =>
  Buffer.byteLength(password) <= KEY_BYTES && !password.includes('\0');
