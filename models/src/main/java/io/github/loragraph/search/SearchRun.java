package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * All trials of a search in their order, by a journal that knows what was done before. Used by one
 * thread.
 */
final class SearchRun {
  /** Where as many trials as that failed and none did not, no other will do better. */
  private static final int FAILURES = 3;

  /** What is told while it goes on. */
  interface Watcher {
    /** A part was done before, by who was stopped or killed. */
    void known(TrialPart part);

    /** A part is begun, or gone on with; in any thread. */
    void begun(TrialPart part);

    /**
     * A part has ended.
     *
     * @param best the best trial at the same rung so far, this one among them; from 0
     */
    void ended(TrialPart part, TrialFigure figure, int best);

    /** After that: all trials as they are now. */
    void table(List<TrialRow> rows);
  }

  /**
   * @param failure what no trainer should end with; else null
   */
  private record Ended(TrialPart part, @Nullable TrialFigure figure, @Nullable Throwable failure) {}

  private final SearchPlan plan;
  private final TrialSchedule schedule;
  private final SearchJournal journal;
  private final TrialTrainer trainer;
  private final Watcher watcher;
  private final Map<Integer, TrialFigure> figures = new HashMap<>();
  private final List<Map<Integer, Double>> rungs = new ArrayList<>();
  private boolean measured;

  SearchRun(SearchPlan plan, SearchJournal journal, TrialTrainer trainer, Watcher watcher) {
    this.plan = plan;
    this.schedule = plan.schedule();
    this.journal = journal;
    this.trainer = trainer;
    this.watcher = watcher;
    plan.pruning().fractions().forEach(fraction -> rungs.add(new HashMap<>()));
  }

  /**
   * Does all that is left to do.
   *
   * @return whether that was done; false where a part was stopped before its end
   * @throws LoraGraphException if the first trials all fail, or the model of one cannot be made:
   *     that is no figure, and is tried again by who goes on
   * @throws InterruptedException if the thread is interrupted meanwhile
   */
  boolean run() throws InterruptedException {
    BlockingQueue<Ended> queue = new LinkedBlockingQueue<>();
    int underWay = 0;
    boolean stopped = false;
    String unprepared = "";
    while (true) {
      Optional<TrialPart> next = stopped ? Optional.empty() : schedule.next();
      if (next.isPresent()) {
        TrialPart part = next.get();
        Optional<TrialFigure> before = journal.find(part);
        if (before.isPresent()) {
          take(part, before.get());
          watcher.known(part);
        } else {
          underWay++;
          // Its failure is a figure, too: anything else that comes of it is a fault of ours.
          var unused =
              trainer
                  .train(part, () -> watcher.begun(part))
                  .whenComplete((figure, failure) -> queue.add(new Ended(part, figure, failure)));
        }
        continue;
      }
      if (underWay == 0) {
        if (!unprepared.isEmpty()) {
          throw new LoraGraphException(unprepared);
        }
        return schedule.isDone();
      }
      Ended ended = queue.take();
      underWay--;
      TrialFigure figure = ended.figure();
      if (figure == null) {
        throw fault(ended);
      }
      if (figure.status() == TrialFigure.Status.STOPPED) {
        stopped = true;
        continue;
      }
      if (figure.status() == TrialFigure.Status.UNPREPARED) {
        stopped = true;
        unprepared =
            "the model of trial %d cannot be made: %s; what is done is kept, and the same command goes on with it"
                .formatted(ended.part().trial() + 1, figure.message());
        continue;
      }
      journal.add(ended.part(), figure);
      take(ended.part(), figure);
      watcher.ended(ended.part(), figure, best(ended.part().rung()));
      watcher.table(rows());
      if (!measured && figures.size() >= Math.min(plan.begun(), FAILURES)) {
        throw new LoraGraphException(
            "the first %d trials all failed; trial %d: %s"
                .formatted(figures.size(), ended.part().trial() + 1, figure.message()));
      }
    }
  }

  private static RuntimeException fault(Ended ended) {
    Throwable failure =
        ended.failure() instanceof CompletionException wrapped
            ? wrapped.getCause()
            : ended.failure();
    return failure instanceof LoraGraphException known
        ? known
        : new IllegalStateException("trial " + (ended.part().trial() + 1), failure);
  }

  private void take(TrialPart part, TrialFigure figure) {
    boolean failed = figure.status() == TrialFigure.Status.FAILED;
    measured |= !failed;
    double score = failed ? Double.NaN : plan.score(figure.objective());
    schedule.report(part, score);
    figures.put(part.trial(), figure);
    if (!Double.isNaN(score)) {
      rungs.get(part.rung()).put(part.trial(), score);
    }
  }

  /** From 0; -1 where no trial has a figure at the rung. */
  private int best(int rung) {
    return rungs.get(rung).entrySet().stream()
        .min(
            Map.Entry.<Integer, Double>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
        .map(Map.Entry::getKey)
        .orElse(-1);
  }

  /** Of each trial that has a figure there, by their numbers; smaller is better. */
  Map<Integer, Double> scores(int rung) {
    return new TreeMap<>(rungs.get(rung));
  }

  /** All trials that were begun, by their numbers. */
  List<TrialRow> rows() {
    List<TrialRow> rows = new ArrayList<>();
    for (TrialResult trial : schedule.results()) {
      TrialFigure figure = figures.get(trial.trial());
      rows.add(
          new TrialRow(
              trial.trial() + 1,
              trial.parameters(),
              status(trial),
              trial.isFailed() || figure == null ? Double.NaN : figure.objective(),
              figure == null ? 0 : figure.step(),
              figure == null ? 0 : figure.totalSteps(),
              figure == null ? 0 : figure.seconds(),
              trainer.folder(trial.trial()),
              figure == null ? "" : figure.message()));
    }
    return rows;
  }

  private TrialRow.Status status(TrialResult trial) {
    if (trial.isFailed()) {
      return TrialRow.Status.FAILED;
    }
    if (trial.rung() == plan.pruning().top()) {
      return TrialRow.Status.COMPLETE;
    }
    return schedule.isDone() ? TrialRow.Status.PRUNED : TrialRow.Status.UNFINISHED;
  }

  /** The best trial that was trained whole, from 0; empty where none was. */
  Optional<Integer> winner() {
    return schedule.best().map(TrialResult::trial);
  }
}
