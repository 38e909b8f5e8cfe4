import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const ADDRESS_TAKEN = defineProblem({
  slug: 'address-taken',
  status: 409,
  title: 'Another account has this address',
  about:
    'Since the address was changed, another account has confirmed the old address. Sign in to that account and delete it or change its address. The link still works until it expires.',
});

/** Only the reader of the mail to the old address learns this: the owner of both accounts. */
export class AddressTakenError extends ProblemError {
  constructor() {
    super(ADDRESS_TAKEN, 'Another account has confirmed this address since.');
  }
}
