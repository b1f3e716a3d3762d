package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Parameters;

/** The jobs that a command is about. */
final class NamedJobs {
  private static final String FILE = "@";

  @Parameters(
      arity = "1..*",
      paramLabel = "JOB",
      description = "Names of jobs; @FILE for those in a file.")
  private List<String> jobs;

  /**
   * In the order in which they were given.
   *
   * @throws LoraGraphException if a file with names cannot be read
   */
  List<String> names() {
    jobs.forEach(NamedJobs::requireName);
    return jobs;
  }

  /**
   * The words of a file have come in the place of its name: no job is called like what is left.
   *
   * @throws LoraGraphException if it is the name of a file
   */
  static void requireName(String job) {
    if (!job.startsWith(FILE)) {
      return;
    }
    String name = job.substring(FILE.length());
    if (name.isEmpty()) {
      throw new LoraGraphException("'@' names no file: write @FILE, in one word");
    }
    throw new LoraGraphException(
        "cannot read the names of jobs in %s: %s".formatted(name, reason(name)));
  }

  private static String reason(String name) {
    try {
      Path file = Path.of(name);
      if (Files.isDirectory(file)) {
        return "it is a folder";
      }
      Files.newInputStream(file).close();
      return "it was not there when the command began";
    } catch (IOException e) {
      return AtomicFile.reason(e);
    } catch (InvalidPathException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
