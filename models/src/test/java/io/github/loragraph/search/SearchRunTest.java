package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All trials by the journal; the trainer ends parts in any order, and is stopped anywhere. */
class SearchRunTest {
  private static final SearchSpace SPACE =
      SearchSpace.of(
          List.of(
              new Parameter("lr", new RealRange(1e-5, 1e-1, true)),
              new Parameter("rank", new Choice(List.of(2, 4, 8)))));
  private static final int STEPS = 90;
  private static final SearchRun.Watcher NOBODY =
      new SearchRun.Watcher() {
        @Override
        public void known(TrialPart part) {}

        @Override
        public void begun(TrialPart part) {}

        @Override
        public void ended(TrialPart part, TrialFigure figure, int best) {}

        @Override
        public void table(List<TrialRow> rows) {}
      };

  @TempDir Path folder;

  private static SearchPlan plan(int parallel) {
    return new SearchPlan(
        SPACE,
        20,
        parallel,
        "accuracy",
        true,
        SearchPlan.Method.TPE,
        SuccessiveHalving.of(3, 1 / 9.0),
        3);
  }

  /**
   * As many at once as asked for, each of them as long as is drawn.
   *
   * @param most parts that are trained before all others are stopped
   * @param failing the logarithm of the rate above which a trial fails
   */
  private record Trainer(
      ExecutorService workers,
      SuccessiveHalving rungs,
      Random order,
      AtomicInteger trained,
      int most,
      double failing)
      implements TrialTrainer, AutoCloseable {
    Trainer(SearchPlan plan, long order, int most, double failing) {
      this(
          Executors.newFixedThreadPool(plan.parallel()),
          plan.pruning(),
          new Random(order),
          new AtomicInteger(),
          most,
          failing);
    }

    @Override
    public CompletableFuture<TrialFigure> train(TrialPart part, Runnable begun) {
      int millis = order.nextInt(4);
      boolean stopped = trained.incrementAndGet() > most;
      return CompletableFuture.supplyAsync(
          () -> {
            try {
              TimeUnit.MILLISECONDS.sleep(millis);
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return stopped ? TrialFigure.stopped() : figure(part);
          },
          workers);
    }

    /** The same where one trial ends otherwise. */
    TrialTrainer ending(int trial, CompletableFuture<TrialFigure> end) {
      Trainer others = this;
      return new TrialTrainer() {
        @Override
        public CompletableFuture<TrialFigure> train(TrialPart part, Runnable begun) {
          return part.trial() == trial ? end : others.train(part, begun);
        }

        @Override
        public String folder(int number) {
          return others.folder(number);
        }
      };
    }

    private TrialFigure figure(TrialPart part) {
      double rate = Math.log10((double) part.parameters().get("lr"));
      return rate > failing
          ? TrialFigure.failed("the loss is NaN")
          : new TrialFigure(
              TrialFigure.Status.MEASURED,
              1 - Math.pow((rate + 3) / 4, 2) - 0.1 / (1 + part.rung()),
              rungs.step(part.rung(), STEPS),
              STEPS,
              1,
              "");
    }

    @Override
    public String folder(int trial) {
      return "runs/" + trial;
    }

    @Override
    public void close() {
      workers.shutdown();
    }
  }

  private SearchRun run(SearchPlan plan, String place, Trainer trainer) throws Exception {
    Path own = Files.createDirectories(folder.resolve(place));
    return new SearchRun(plan, new SearchJournal(own), trainer, NOBODY);
  }

  @Test
  void stoppedAnywhereAndBegunAgainItHasTheSameTrials() throws Exception {
    for (int parallel : List.of(1, 3)) {
      SearchPlan plan = plan(parallel);
      List<TrialRow> straight;
      int parts;
      try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -1.5)) {
        SearchRun run = run(plan, "straight" + parallel, trainer);
        assertTrue(run.run());
        straight = run.rows();
        parts = trainer.trained().get();
        assertEquals(20, straight.size());
        assertTrue(straight.stream().anyMatch(row -> row.status() == TrialRow.Status.FAILED));
        assertTrue(straight.stream().anyMatch(row -> row.status() == TrialRow.Status.PRUNED));
        TrialRow winner = straight.get(run.winner().orElseThrow());
        assertEquals(TrialRow.Status.COMPLETE, winner.status());
        assertEquals(STEPS, winner.step());
      }
      int trained = 0;
      for (int begun = 1; ; begun++) {
        try (Trainer trainer = new Trainer(plan, begun, 5, -1.5)) {
          SearchRun run = run(plan, "stopped" + parallel, trainer);
          boolean done = run.run();
          trained += Math.min(5, trainer.trained().get());
          if (done) {
            assertEquals(straight, run.rows());
            assertTrue(begun > 3, "" + begun);
            break;
          }
        }
      }
      assertEquals(parts, trained, "nothing is done twice");
    }
  }

  @Test
  void whereAllFailItEndsAndIsTriedAgain() throws Exception {
    SearchPlan plan = plan(2);
    try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -9)) {
      SearchRun run = run(plan, "failing", trainer);
      String message = assertThrows(LoraGraphException.class, run::run).getMessage();
      assertTrue(message.contains("the first 3 trials all failed"), message);
      assertTrue(message.contains("the loss is NaN"), message);
    }
    assertFalse(Files.exists(folder.resolve("failing").resolve(SearchJournal.FILE)));
    try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -1.5)) {
      assertTrue(run(plan, "failing", trainer).run());
    }
  }

  /** What no process ever trained says nothing of its parameters. */
  @Test
  void aModelThatCannotBeMadeEndsItAndIsTriedAgain() throws Exception {
    SearchPlan plan = plan(2);
    List<TrialRow> straight;
    try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -1.5)) {
      SearchRun run = run(plan, "made", trainer);
      run.run();
      straight = run.rows();
    }
    try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -1.5)) {
      TrialTrainer full =
          trainer.ending(
              4, CompletableFuture.completedFuture(TrialFigure.unprepared("the disk is full")));
      Path own = Files.createDirectories(folder.resolve("unprepared"));
      SearchRun run = new SearchRun(plan, new SearchJournal(own), full, NOBODY);
      String message = assertThrows(LoraGraphException.class, run::run).getMessage();
      assertTrue(message.contains("the model of trial 5 cannot be made: the disk"), message);
    }
    try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -1.5)) {
      SearchRun run = run(plan, "unprepared", trainer);
      assertTrue(run.run());
      assertEquals(straight, run.rows());
    }
  }

  @Test
  @Timeout(60)
  void aFaultOfATrainerEndsItToo() throws Exception {
    SearchPlan plan = plan(2);
    try (Trainer trainer = new Trainer(plan, 0, Integer.MAX_VALUE, -1.5)) {
      for (RuntimeException fault :
          List.of(new LoraGraphException("run.json is damaged"), new NullPointerException("x"))) {
        Path own = Files.createDirectories(folder.resolve("fault"));
        SearchRun run =
            new SearchRun(
                plan,
                new SearchJournal(own),
                trainer.ending(1, CompletableFuture.failedFuture(fault)),
                NOBODY);
        RuntimeException thrown = assertThrows(RuntimeException.class, run::run);
        assertTrue(thrown == fault || thrown.getCause() == fault, thrown.toString());
      }
    }
  }

  @Test
  void theJournalOfAnotherSearchIsRefused() throws Exception {
    SearchPlan plan = plan(1);
    try (Trainer trainer = new Trainer(plan, 0, 3, -1.5)) {
      assertFalse(run(plan, "other", trainer).run());
    }
    Path journal = folder.resolve("other").resolve(SearchJournal.FILE);
    Files.writeString(journal, Files.readString(journal).replace("\"lr\":", "\"lr\":1"));
    try (Trainer trainer = new Trainer(plan, 0, 3, -1.5)) {
      SearchRun run = run(plan, "other", trainer);
      String message = assertThrows(LoraGraphException.class, run::run).getMessage();
      assertTrue(message.contains("is of another search"), message);
    }
  }
}
