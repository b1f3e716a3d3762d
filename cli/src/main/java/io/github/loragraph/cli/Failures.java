package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;

/** Words for failures. */
public final class Failures {
  private Failures() {}

  /** What to print: the message of a failure that has one for its reader, else the bare facts. */
  public static String inOneLine(Throwable failure) {
    if (failure instanceof LoraGraphException known) {
      return AdviceText.message(known);
    }
    String message = failure.getMessage() == null ? "" : ": " + failure.getMessage().strip();
    return PlainText.message(
        "internal error: "
            + failure.getClass().getSimpleName()
            + message
            + " (please report it with the output of the same command and --stacktrace)",
        LoraGraphException.LONGEST_MESSAGE);
  }
}
