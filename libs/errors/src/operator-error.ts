/**
 * Something that whoever runs the system can mend, before it serves or beside it. The message says what is wrong and what to do, without a
 * secret; it is shown by itself, without a stack.
 */
export class OperatorError extends Error {
  override readonly name: string = "OperatorError";
}
