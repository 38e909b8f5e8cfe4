import { Module } from '@nestjs/common';
import { defineCounter, defineGauge, Instruments } from '../instruments/instruments.js';
import { PasswordHasher } from './password-hasher.js';

const RUNNING = defineGauge('password_hashes_running', 'Password hashes (argon2id) that are calculated now');
const WAITING = defineGauge('password_hashes_waiting', 'Requests that wait for a password hash');
const LIMIT = defineGauge(
  'password_hashes_waiting_limit',
  'The most requests that can wait for a password hash',
);
const REFUSED = defineCounter(
  'password_hashes_refused_total',
  'Requests that got 503 (busy), because the queue for password hashes was full',
);

@Module({ providers: [PasswordHasher], exports: [PasswordHasher] })
export class CryptoModule {
  constructor(hasher: PasswordHasher, instruments: Instruments) {
    instruments.add(RUNNING, () => hasher.state.running);
    instruments.add(WAITING, () => hasher.state.waiting);
    instruments.add(LIMIT, () => hasher.state.limit);
    instruments.add(REFUSED, () => hasher.state.refused);
  }
}
