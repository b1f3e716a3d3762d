package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingArguments;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How an encoder makes a vector of a text. */
final class EmbeddingOptions {
  @Option(
      names = "--pooling",
      paramLabel = "POOLING",
      converter = EmbeddingPoolingConverter.class,
      completionCandidates = EmbeddingPoolingConverter.class,
      description =
          "How the vectors of tokens become one: ${COMPLETION-CANDIDATES} (default: what the run,"
              + " the model or 1_Pooling/config.json beside it says).")
  private EmbeddingArguments.@Nullable Pooling pooling;

  private @Nullable Boolean normalize;

  @Option(
      names = "--normalize",
      negatable = true,
      fallbackValue = "true",
      description = "Give vectors the length 1 (default: what the run or modules.json says).")
  private void normalize(boolean value) {
    normalize = value;
  }

  @Option(
      names = "--query-prefix",
      paramLabel = "TEXT",
      description = "What each query begins with, 'query: ' for E5 for example.")
  private @Nullable String queryPrefix;

  @Option(
      names = "--document-prefix",
      paramLabel = "TEXT",
      description = "What each other text begins with, 'passage: ' for E5 for example.")
  private @Nullable String documentPrefix;

  /** What was asked for. */
  EmbeddingArguments asked() {
    EmbeddingArguments asked = EmbeddingArguments.AS_FOUND;
    asked = pooling == null ? asked : asked.withPooling(pooling);
    asked = normalize == null ? asked : asked.withNormalize(normalize);
    asked = queryPrefix == null ? asked : asked.withQueryPrefix(queryPrefix);
    return documentPrefix == null ? asked : asked.withDocumentPrefix(documentPrefix);
  }
}
