package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The jobs that a command is about. */
final class NamedJobs {
  private static final String MARK = "\ufeff";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "JOB",
      description = "Names of jobs; @FILE for those in a file.")
  private List<String> jobs;

  /**
   * In the order in which they were given.
   *
   * @throws LoraGraphException if a file with names cannot be read as text
   */
  List<String> names() {
    return read(spec, jobs);
  }

  /**
   * The library of the command line puts the words of a file in the place of its name; what is no
   * file it takes for a word, and any bytes for text.
   */
  static List<String> read(CommandSpec spec, List<String> words) {
    spec.root().commandLine().getParseResult().originalArgs().stream()
        .filter(word -> word.startsWith("@") && !word.startsWith("@@"))
        .forEach(word -> requireText(word.substring(1)));
    return words.stream()
        .map(word -> word.startsWith(MARK) ? word.substring(MARK.length()) : word)
        .toList();
  }

  private static void requireText(String name) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(Path.of(name));
    } catch (IOException | InvalidPathException e) {
      throw new LoraGraphException(
          "cannot read the names of jobs in %s: %s"
              .formatted(
                  name, e instanceof IOException io ? AtomicFile.reason(io) : e.getMessage()),
          e);
    }
    int mark = bytes.length < 2 ? 0 : (bytes[0] & 0xff) << 8 | bytes[1] & 0xff;
    for (int i = 0; i < bytes.length; i++) {
      if (mark == 0xfeff || mark == 0xfffe || bytes[i] == 0) {
        throw new LoraGraphException(name + " is UTF-16 text, or none: save it as UTF-8");
      }
    }
  }
}
