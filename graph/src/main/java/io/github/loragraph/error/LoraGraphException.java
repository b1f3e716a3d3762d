package io.github.loragraph.error;

import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * A failure that its reader can act upon: the message is one line of at most {@value
 * #LONGEST_MESSAGE} characters, without control characters, that says what is wrong, where, and
 * what to do. The command line prints that line alone and exits with 1.
 */
public final class LoraGraphException extends RuntimeException {
  /** Characters of a message; names in files may be of any length. */
  public static final int LONGEST_MESSAGE = 300;

  private static final long serialVersionUID = 1L;

  /** The message before it was made to fit; a file's name may still come in front. */
  private final String whole;

  public LoraGraphException(String message) {
    this(message, null);
  }

  public LoraGraphException(String message, Throwable cause) {
    super(PlainText.message(String.valueOf(message), LONGEST_MESSAGE), cause);
    this.whole = String.valueOf(message);
  }

  /** The same failure with the file in front that it is about, unless its message names it. */
  public LoraGraphException in(Path file) {
    if (whole.contains(file.toString())) {
      return this;
    }
    LoraGraphException named = new LoraGraphException(file + ": " + whole, getCause());
    named.setStackTrace(getStackTrace());
    return named;
  }

  /**
   * Does work on what a file holds: a failure names the file.
   *
   * @throws LoraGraphException if the work does
   */
  public static <T> T in(Path file, Supplier<T> work) {
    try {
      return work.get();
    } catch (LoraGraphException e) {
      throw e.in(file);
    }
  }
}
