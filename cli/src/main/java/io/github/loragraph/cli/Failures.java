package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.util.List;
import java.util.Optional;

/** Words for failures. */
public final class Failures {
  private Failures() {}

  /**
   * What to print: the message of a failure that has one for its reader, else the bare facts.
   *
   * @param smaller options that take a number which a smaller one of needs less memory
   */
  public static String inOneLine(Throwable failure, String... smaller) {
    Optional<String> memory = MemoryShortage.inOneLine(failure, List.of(smaller));
    if (memory.isPresent()) {
      return memory.get();
    }
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
