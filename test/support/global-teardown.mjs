// Jest loads this file itself, without its own transformation of TypeScript modules.
import { tsImport } from 'tsx/esm/api';

export default async () => (await tsImport('./global-teardown.ts', import.meta.url)).default();
