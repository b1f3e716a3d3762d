package io.github.loragraph;

/**
 * A failure that its reader can act upon: the message is one line that says what is wrong, where,
 * and what to do. The command line prints that line alone and exits with 1.
 */
public final class LoraGraphException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public LoraGraphException(String message) {
    super(message);
  }

  public LoraGraphException(String message, Throwable cause) {
    super(message, cause);
  }
}
