package io.github.loragraph.search;

import java.util.concurrent.CompletableFuture;

/** Trains a trial as far as it is wanted, and measures it there. */
interface TrialTrainer {
  /**
   * Goes on with a trial, from what there is of it, up to a rung.
   *
   * @param begun is called, in any thread, once something is done for it
   * @return never fails: what went wrong is in the figure
   */
  CompletableFuture<TrialFigure> train(TrialPart part, Runnable begun);

  /**
   * The run folder of a trial, in that of the search.
   *
   * @param trial from 0
   */
  String folder(int trial);
}
