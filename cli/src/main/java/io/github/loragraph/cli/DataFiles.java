package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Data files as options name them: several, by patterns, or {@code -} for standard input. */
final class DataFiles {
  private static final String STANDARD_INPUT = "-";
  private static final Set<String> FORMATS =
      Set.of("tsv", "csv", "jsonl", "txt", "conll", "conllu", "bio");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--data-format",
      paramLabel = "FORMAT",
      description =
          "What standard input is, where '-' names it: tsv, csv, jsonl, txt, conll, conllu or bio;"
              + " it may be packed.")
  private @Nullable String format;

  /**
   * The files that are named; standard input is read to its end, into a file that goes with the
   * process.
   *
   * @throws LoraGraphException if a pattern names none
   * @throws ParameterException if it is not said what standard input is
   */
  Dataset of(List<String> named) {
    List<String> names = lines(named);
    if (!names.contains(STANDARD_INPUT)) {
      if (format != null) {
        throw new ParameterException(
            spec.commandLine(), "--data-format is for standard input, and no '-' names that");
      }
      return Dataset.files(names);
    }
    if (names.size() > 1) {
      throw new ParameterException(
          spec.commandLine(), "data are standard input or files, not both");
    }
    if (format == null || !FORMATS.contains(format.toLowerCase(Locale.ROOT))) {
      throw new ParameterException(
          spec.commandLine(),
          "'-', standard input, needs --data-format: tsv, csv, jsonl, txt, conll, conllu or bio");
    }
    return Dataset.file(standardInput(format.toLowerCase(Locale.ROOT)));
  }

  /** A configuration file gives several as lines. */
  static List<String> lines(List<String> named) {
    return named.stream().flatMap(String::lines).toList();
  }

  private static Path standardInput(String format) {
    Path file =
        TemporaryFolder.create("lora-graph-data-").path().resolve("standard input." + format);
    try (OutputStream out = Files.newOutputStream(file)) {
      System.in.transferTo(out);
      return file;
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot write what standard input has to %s: %s".formatted(file, AtomicFile.reason(e)),
          e);
    }
  }
}
