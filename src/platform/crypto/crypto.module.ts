import { Module } from '@nestjs/common';
import { defineInstrument, Instruments } from '../instruments/instruments.js';
import { PasswordHasher } from './password-hasher.js';

const RUNNING = defineInstrument({
  type: 'gauge',
  name: 'password_hashes_running',
  help: 'Password hashes (argon2id) that are calculated now',
});
const WAITING = defineInstrument({
  type: 'gauge',
  name: 'password_hashes_waiting',
  help: 'Requests that wait for a password hash',
});
const LIMIT = defineInstrument({
  type: 'gauge',
  name: 'password_hashes_waiting_limit',
  help: 'The most requests that can wait for a password hash',
});
const REFUSED = defineInstrument({
  type: 'counter',
  name: 'password_hashes_refused_total',
  help: 'Requests that got 503 (busy), because the queue for password hashes was full',
});

@Module({ providers: [PasswordHasher], exports: [PasswordHasher] })
export class CryptoModule {
  constructor(hasher: PasswordHasher, instruments: Instruments) {
    instruments.add(RUNNING, () => hasher.state.running);
    instruments.add(WAITING, () => hasher.state.waiting);
    instruments.add(LIMIT, () => hasher.state.limit);
    instruments.add(REFUSED, () => hasher.state.refused);
  }
}
