package io.github.loragraph.cli;

import io.github.loragraph.training.BasePrecision;

/** Reads in what frozen layers compute by its name on the command line. */
final class BasePrecisionConverter extends NameConverter<BasePrecision> {
  BasePrecisionConverter() {
    super(BasePrecision.values());
  }
}
