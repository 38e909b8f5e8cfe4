import { SetMetadata } from '@nestjs/common';

export const MAY_ANSWER = Symbol('may-answer');

/**
 * Names the problems of a route that its declaration does not imply, for the OpenAPI document.
 *
 * @example
 * ```ts
 * @Put(':id/roles') @MayAnswer('last-administrator')
 * ```
 */
export const MayAnswer = (...slugs: string[]) => SetMetadata(MAY_ANSWER, slugs);
