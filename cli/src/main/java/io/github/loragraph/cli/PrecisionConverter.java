package io.github.loragraph.cli;

import io.github.loragraph.training.Precision;

/** Reads a precision by its name on the command line. */
final class PrecisionConverter extends NameConverter<Precision> {
  PrecisionConverter() {
    super(Precision.values());
  }
}
