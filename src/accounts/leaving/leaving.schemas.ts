import { z } from 'zod';
import { UserView } from '../users/users.schemas.js';

export const ExportView = z
  .looseObject({
    exportedAt: z.iso.datetime().describe('The time of the export'),
    account: UserView,
  })
  .meta({ id: 'Export', description: 'The account, and one list for each kind of data about the person' });
