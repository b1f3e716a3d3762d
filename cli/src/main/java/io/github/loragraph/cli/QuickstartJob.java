package io.github.loragraph.cli;

import java.util.function.Consumer;

/** What {@code quickstart} can tune the bundled model for. */
enum QuickstartJob {
  CLASSIFICATION(ClassificationQuickstart::run);

  private final Consumer<QuickstartPlace> steps;

  QuickstartJob(Consumer<QuickstartPlace> steps) {
    this.steps = steps;
  }

  void run(QuickstartPlace place) {
    steps.accept(place);
  }

  @Override
  public String toString() {
    return name().replace('_', '-');
  }
}
