package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingArguments;

/** Reads how the vectors of tokens become one by its name on the command line. */
final class EmbeddingPoolingConverter extends NameConverter<EmbeddingArguments.Pooling> {
  EmbeddingPoolingConverter() {
    super(EmbeddingArguments.Pooling.values());
  }
}
