package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.util.List;

/** Words for failures. */
public final class Failures {
  private Failures() {}

  /** What to print: the message of a failure that has one for its reader, else the bare facts. */
  public static String inOneLine(Throwable failure) {
    return inOneLine(failure, List.of());
  }

  /**
   * The same of a command.
   *
   * @param smaller its options that take a number which a smaller one of needs less memory
   */
  static String inOneLine(Throwable failure, List<String> smaller) {
    return MemoryShortage.inOneLine(failure, smaller).orElseGet(() -> withoutMemory(failure));
  }

  private static String withoutMemory(Throwable failure) {
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
