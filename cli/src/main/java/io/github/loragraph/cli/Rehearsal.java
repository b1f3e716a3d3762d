package io.github.loragraph.cli;

import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;

/**
 * Runs commands of every kind once, so that a JVM that lists the classes that it loads lists those
 * that starts of the program need. The launcher makes its archive of classes from that list.
 */
public final class Rehearsal {
  private static final String MODEL = "all-MiniLM-L6-v2";

  private Rehearsal() {}

  /** Takes no arguments; prints nothing. What fails here is not in the archive, and that is all. */
  public static void main(String[] args) throws IOException {
    Signals.install();
    // Its class is the first that a start needs.
    Objects.requireNonNull(Main.class);
    run(new PrintWriter(Writer.nullWriter()));
    System.exit(CommandLine.ExitCode.OK);
  }

  /**
   * Runs the commands.
   *
   * @param err gets what they say
   * @return the largest of their exit codes
   */
  static int run(PrintWriter err) throws IOException {
    int largest = 0;
    try (TemporaryFolder folder = TemporaryFolder.create("lora-graph-rehearsal-")) {
      Path data = folder.path().resolve("data.tsv");
      Files.writeString(data, "text\tlabel\nit works\tyes\nit does not\tno\n");
      String head = folder.path().resolve("head").toString();
      String run = folder.path().resolve("run").toString();
      for (List<String> words :
          List.of(
              List.of("--help"),
              List.of("train", "--help"),
              List.of("--version"),
              List.of("inspect", MODEL),
              List.of("add-head", MODEL, "--labels", "no,yes", "-o", head),
              List.of(
                  "train",
                  head,
                  "--data",
                  data.toString(),
                  "--steps",
                  "1",
                  "--method",
                  "head",
                  "--device",
                  "cpu",
                  "-o",
                  run),
              List.of("eval", run, "--data", data.toString(), "--device", "cpu", "--json"),
              List.of("predict", run, "--device", "cpu", "it works"),
              List.of("predict", run, "--data", data.toString(), "--device", "cpu", "--json"))) {
        ArgumentFiles arguments = new ArgumentFiles(words.toArray(String[]::new));
        CommandLine commandLine = LoraGraph.commandLine(arguments);
        commandLine.setOut(new PrintWriter(Writer.nullWriter()));
        commandLine.setErr(err);
        largest = Math.max(largest, LoraGraph.execute(commandLine, arguments));
      }
    }
    return largest;
  }
}
