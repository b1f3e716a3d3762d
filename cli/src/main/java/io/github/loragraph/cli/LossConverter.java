package io.github.loragraph.cli;

/** Reads a loss by its name on the command line. */
final class LossConverter extends NameConverter<LossName> {
  LossConverter() {
    super(LossName.values());
  }
}
