import { type INestApplication, Injectable } from '@nestjs/common';
import { sharedBody } from '../pages/shared-body.js';
import { createOpenApiDocument } from './openapi.document.js';

/** The OpenAPI document of the application as JSON, created on first use. */
@Injectable()
export class ApiReference {
  #app: INestApplication | undefined;
  readonly document = sharedBody(() => {
    if (!this.#app) throw new Error('the application is not configured');
    return JSON.stringify(createOpenApiDocument(this.#app));
  });

  describe(app: INestApplication): void {
    this.#app = app;
  }
}
