package io.github.loragraph;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.LoraGraph;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.stream.Stream;
import picocli.CommandLine;

/**
 * One run of the command line.
 *
 * @param out standard output
 * @param err standard error
 */
record Cli(int exitCode, String out, String err) {
  static Cli run(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = LoraGraph.commandLine();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    String[] words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = arguments[i].toString();
    }
    int exitCode = LoraGraph.execute(commandLine, words);
    return new Cli(exitCode, out.toString(), err.toString());
  }

  /** Arguments with some more. */
  static Object[] with(Object[] arguments, Object... more) {
    return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray();
  }

  /** The one JSON object that {@code --json} prints; the run must have gone well. */
  static JsonNode json(Object... arguments) {
    Cli run = run(with(arguments, "--json"));
    if (run.exitCode != 0) {
      throw new AssertionError("exit code " + run.exitCode + ": " + run.err);
    }
    try {
      return new ObjectMapper().readTree(run.out);
    } catch (JsonProcessingException e) {
      throw new AssertionError("not one JSON object: " + run.out, e);
    }
  }
}
