package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What a training is measured with. */
final class HeldOutOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--eval",
      paramLabel = "FILE",
      description =
          "Held-out examples, to measure with. Several: the option again, or a pattern, as"
              + " 'dev/*.tsv.gz'.")
  private @Nullable List<String> eval;

  @Option(
      names = "--eval-corpus",
      paramLabel = "FILE",
      description =
          "Embeddings: measure by a search in these documents (id, title, text), with --eval-queries"
              + " and --eval-qrels, as BEIR and MS MARCO have them.")
  private @Nullable Path evalCorpus;

  @Option(
      names = "--eval-queries",
      paramLabel = "FILE",
      description = "The queries of that search (id, text).")
  private @Nullable Path evalQueries;

  @Option(
      names = "--eval-qrels",
      paramLabel = "FILE",
      description = "Which documents are relevant to which query (query-id, corpus-id, score).")
  private @Nullable Path evalQrels;

  /** The files that are there. */
  List<Path> files() {
    return Stream.concat(
            eval == null ? Stream.of() : Dataset.files(DataFiles.lines(eval)).files().stream(),
            Stream.of(evalCorpus, evalQueries, evalQrels).filter(Objects::nonNull))
        .toList();
  }

  /**
   * The data; null where none is given.
   *
   * @throws ParameterException if a search is not whole, or is given beside examples
   */
  @Nullable Dataset data(ColumnOptions columns) {
    if (evalCorpus == null && evalQueries == null && evalQrels == null) {
      return eval == null ? null : columns.of(Dataset.files(DataFiles.lines(eval)));
    }
    if (eval != null) {
      throw new ParameterException(
          spec.commandLine(), "--eval and --eval-corpus both say what to measure with: give one");
    }
    if (evalCorpus == null || evalQueries == null || evalQrels == null) {
      throw new ParameterException(
          spec.commandLine(),
          "a search needs all three of --eval-corpus, --eval-queries and --eval-qrels");
    }
    return Dataset.search(evalCorpus, evalQueries, evalQrels);
  }
}
