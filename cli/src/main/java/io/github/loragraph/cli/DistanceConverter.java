package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingLoss;

/** Reads a distance by its name on the command line. */
final class DistanceConverter extends NameConverter<EmbeddingLoss.Distance> {
  DistanceConverter() {
    super(EmbeddingLoss.Distance.values());
  }
}
