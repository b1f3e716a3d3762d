package io.github.loragraph.cli;

import io.github.loragraph.Task;
import java.util.function.Consumer;

/** What {@code quickstart} can tune the bundled model for. */
enum QuickstartJob {
  CLASSIFICATION(
      new HeadQuickstart(
              Task.CLASSIFICATION,
              "train.tsv",
              "eval.tsv",
              HeadQuickstart.epochs(4, 1e-3),
              "'my parcel has not come'")
          ::run),
  EMBEDDING(EmbeddingQuickstart::run),
  RERANK(
      new HeadQuickstart(
              Task.RERANK,
              "rerank/train.tsv",
              "rerank/eval.tsv",
              HeadQuickstart.epochs(2, 2e-3),
              "--query 'how loud is it' 'Wipe the lip of the maw.' 'Shirts reach 46 decibels.'")
          ::run),
  ENTITIES(
      new HeadQuickstart(
              Task.TOKEN_CLASSIFICATION,
              "entities/train.conll",
              "entities/eval.conll",
              HeadQuickstart.epochs(12, 2e-3),
              "'The Grey Curlew left Skarvik with a cargo of salt .'")
          ::run),
  FEW_SHOT(
      new HeadQuickstart(
              Task.CLASSIFICATION,
              "train.tsv",
              "eval.tsv",
              HeadQuickstart.fewShot(8, 5),
              "'my parcel has not come'")
          ::run);

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
