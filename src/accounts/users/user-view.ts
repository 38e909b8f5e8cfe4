import type { User } from './user.entity.js';
import type { UserView } from './users.schemas.js';

/** The fields that the user and administrators can see (ASVS 15.3.1). */
export const showUser = (user: User): UserView => ({
  id: user.id,
  email: user.email,
  name: user.name,
  emailVerified: user.emailVerifiedAt !== null,
  roles: user.roles,
  status: user.status,
  createdAt: user.createdAt.toISOString(),
});
