import 'reflect-metadata';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.options.js';

const url = process.env['DATABASE_URL'];
if (!url)
  throw new Error(
    'DATABASE_URL is not set. `npm run migration:…` sets it to the embedded database where there is none.',
  );

/** For TypeORM's command line only, on the compiled code. The application loads its entities by module. */
export default new DataSource({
  ...dataSourceOptions(url, 2),
  entities: [join(import.meta.dirname, '../**/*.entity.js')],
});
