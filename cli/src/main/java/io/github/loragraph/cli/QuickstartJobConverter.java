package io.github.loragraph.cli;

/** Reads a job of {@code quickstart} by its name on the command line. */
final class QuickstartJobConverter extends NameConverter<QuickstartJob> {
  QuickstartJobConverter() {
    super(QuickstartJob.values());
  }
}
