package io.github.loragraph.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.util.Map;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * How a command hands over its result: as text for people, or with {@code --json} as exactly one
 * JSON object. Control characters, which names in files may have, are never printed. Only results
 * go to standard output; what happens meanwhile goes to standard error.
 */
public final class ResultOutput {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(names = "--json", description = "Print the result as one JSON object.")
  private boolean json;

  private final StatusLine status = new StatusLine();

  /** What stands below all lines while something goes on; each is printed above it. */
  StatusLine status() {
    return status;
  }

  /** Whether the result is to be JSON. */
  public boolean isJson() {
    return json;
  }

  /** Prints the one or the other form. */
  public void print(Map<String, ?> object, Consumer<PrintWriter> text) {
    status.above(() -> printNow(object, text));
  }

  private void printNow(Map<String, ?> object, Consumer<PrintWriter> text) {
    PrintWriter out = new PrintWriter(new PlainTextWriter(spec.commandLine().getOut()));
    if (json) {
      try {
        out.println(JSON.writeValueAsString(object));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    } else {
      text.accept(out);
    }
    out.flush();
  }

  /** Says a line that may have any characters in it, on standard error. */
  public void say(String line) {
    log("%s", line);
  }

  /** Says what is going on, on standard error, in one line. */
  public void log(String line, Object... arguments) {
    String said = PlainText.line(line.formatted(arguments));
    status.above(
        () -> {
          PrintWriter err = spec.commandLine().getErr();
          err.println(said);
          err.flush();
        });
  }
}
