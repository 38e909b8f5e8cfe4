import { z } from 'zod';

export const LeakReport = z
  .strictObject({
    key: z.string().meta({ description: 'The key, as it was found', examples: ['nk_live_0000000000'] }),
  })
  .meta({ id: 'LeakReport', description: 'A key that was found where it should not be' });
export type LeakReport = z.infer<typeof LeakReport>;

export const LeakReportAccepted = z
  .object({ message: z.string().describe('For a person') })
  .meta({ id: 'LeakReportAccepted', description: 'The same for every report' });
export type LeakReportAccepted = z.infer<typeof LeakReportAccepted>;
