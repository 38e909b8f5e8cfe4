/** A reason that ends the start of a process. Its message explains it to the operator: no stack is needed. */
export class StartError extends Error {
  readonly exitCode: number = 1;
}
