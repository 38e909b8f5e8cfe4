import { SetMetadata } from '@nestjs/common';

export const MAY_ANSWER = Symbol('may-answer');

/**
 * Adds problems to the OpenAPI document that do not follow from the declaration of the route. A function adds problems of
 * rooms that are loaded later.
 *
 * @example
 * ```ts
 * @Put(':id/roles') @MayAnswer('last-administrator')
 * ```
 */
export const MayAnswer = (...problems: MayAnswerProblem[]) => SetMetadata(MAY_ANSWER, problems);

export type MayAnswerProblem = string | (() => readonly string[]);
