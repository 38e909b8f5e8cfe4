import { defineProblem, ProblemError } from '../problems/problem.js';

const SIGNING_KEY_TOO_YOUNG = defineProblem({
  slug: 'signing-key-too-young',
  status: 409,
  title: 'The next signing key is too young',
  about:
    'Services keep the published keys for five minutes, so a key that signed before that would make tokens that they refuse. Wait as long as `Retry-After` says. If the key that signs now is no longer safe, revoke it: the next one takes over at once.',
});

export class SigningKeyTooYoungError extends ProblemError {
  constructor(waitMs: number) {
    const seconds = Math.ceil(waitMs / 1000);
    super(SIGNING_KEY_TOO_YOUNG, `The next key may sign in ${seconds} seconds.`, {
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
