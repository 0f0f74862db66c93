/** The one error of the `.ss` codec; core wraps it by its code when it reaches a producer or consumer. */

export type SsFormatErrorCode = "corrupt-data" | "invalid-option" | "message-too-large";

/** Thrown for what makes a file unreadable as a whole, or for input that has no place in the format. The code stands first in the text. */
export class SsFormatError extends Error {
  readonly code: SsFormatErrorCode;

  constructor(code: SsFormatErrorCode, text: string) {
    super(`${code}: ${text}`);
    this.name = "SsFormatError";
    this.code = code;
  }
}
