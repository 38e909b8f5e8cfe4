import { z } from 'zod';

export const LeakReport = z
  .strictObject({ key: z.string().meta({ description: 'What was found, as it was found' }) })
  .meta({ id: 'LeakReport' });
export type LeakReport = z.infer<typeof LeakReport>;

export const LeakReportAccepted = z.object({ message: z.string() }).meta({ id: 'LeakReportAccepted' });
export type LeakReportAccepted = z.infer<typeof LeakReportAccepted>;
