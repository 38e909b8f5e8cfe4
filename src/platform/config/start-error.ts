/** An expected failure of a start or command. Its message is printed without a stack. */
export class StartError extends Error {
  readonly exitCode: number = 1;
}
