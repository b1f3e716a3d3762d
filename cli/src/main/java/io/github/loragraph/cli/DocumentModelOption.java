package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingArguments;
import io.github.loragraph.Model;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model embeds documents, beside one that was trained for queries. */
final class DocumentModelOption {
  @Option(
      names = "--document-model",
      paramLabel = "MODEL",
      description =
          "What embeds documents, where MODEL was trained with --query-side (default: the model"
              + " that it was trained from).")
  private @Nullable String model;

  /** The arguments with this model. */
  EmbeddingArguments of(EmbeddingArguments asked) {
    return model == null ? asked : asked.withDocumentModel(Model.open(model).file());
  }
}
