import { type INestApplication, Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { createOpenApiDocument } from './openapi.document.js';

/** The OpenAPI document of the application, made when it is first asked for. */
@Injectable()
export class ApiReference {
  #app: INestApplication | undefined;
  #document: OpenAPIObject | undefined;

  describe(app: INestApplication): void {
    this.#app = app;
  }

  document(): OpenAPIObject {
    if (!this.#app) throw new Error('the application was not configured');
    return (this.#document ??= createOpenApiDocument(this.#app));
  }
}
