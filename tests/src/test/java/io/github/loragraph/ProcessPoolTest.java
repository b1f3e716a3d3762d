package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.experiment.ExperimentFile;
import io.github.loragraph.experiment.PoolTask;
import io.github.loragraph.experiment.ProcessPool;
import io.github.loragraph.experiment.RunEnd;
import io.github.loragraph.experiment.RunPlace;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.experiment.TrainTask;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Trainings in processes of a pool: stopped, killed, failed, and gone on with. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ProcessPoolTest {
  private static final long MEMORY = 200L << 20;
  private static final RunProgram PROGRAM = RunProgram.ofThisProcess();

  @TempDir Path folder;
  private Trainings trainings;
  private final List<String> notes = Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void prepare() throws Exception {
    trainings = new Trainings(folder);
  }

  private TrainTask task(String name, String... settings) throws Exception {
    Path config = folder.resolve(name + ".yaml");
    List<String> lines = new ArrayList<>();
    lines.add("model: " + trainings.model());
    lines.add("data: " + trainings.data());
    lines.add("batch-size: 8");
    lines.add("engine: graph");
    lines.add("log-every: 3");
    lines.add("checkpoint-every: 7");
    lines.addAll(List.of(settings));
    Files.write(config, lines);
    return new TrainTask(PROGRAM, name, config, folder.resolve("runs").resolve(name), MEMORY);
  }

  private ProcessPool pool(int parallel) {
    return new ProcessPool(PROGRAM, parallel, 1, notes::add);
  }

  private static CompletableFuture<RunEnd> run(ProcessPool pool, PoolTask task) {
    return pool.run(task, () -> {});
  }

  private static void assertSameRun(TrainTask expected, TrainTask actual) throws Exception {
    assertArrayEquals(Runs.learned(expected.place()), Runs.learned(actual.place()));
    assertEquals(Trainings.figures(expected.place()), Trainings.figures(actual.place()));
  }

  private static void waitForStep(TrainTask task, int step) throws Exception {
    while (Trainings.lastStep(task.place()) < step) {
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  private static ProcessHandle processOf(TrainTask task) {
    return ProcessHandle.current()
        .descendants()
        .filter(
            process ->
                process
                    .info()
                    .arguments()
                    .map(words -> String.join(" ", words).contains(task.place().toString()))
                    .orElse(false))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void oneFailsAndTheOthersAreDone() throws Exception {
    TrainTask one = task("one", "steps: 20");
    TrainTask wrong = task("wrong", "steps: 20", "lr: 1e38");
    TrainTask missing = task("missing", "steps: 20", "eval: nowhere.jsonl");
    List<String> begun = Collections.synchronizedList(new ArrayList<>());
    try (ProcessPool pool = pool(2)) {
      List<CompletableFuture<RunEnd>> ends = new ArrayList<>();
      for (TrainTask task : List.of(wrong, missing, one)) {
        ends.add(pool.run(task, () -> begun.add(task.name())));
      }
      assertEquals(RunEnd.Status.FAILED, ends.get(0).join().status());
      String why = ends.get(0).join().message();
      assertTrue(why.startsWith("the loss is NaN at step "), why);
      assertTrue(
          ends.get(1).join().message().contains("nowhere.jsonl"), ends.get(1).join().message());
      RunEnd end = ends.get(2).join();
      assertEquals(RunEnd.Status.FINISHED, end.status(), end.message());
      assertTrue(end.peakBytes().orElseThrow() > 10 << 20, end.toString());
      assertEquals(RunEnd.Status.FINISHED, run(pool, one).join().status());
    }
    assertEquals(3, begun.size(), "nothing is done twice");
    assertTrue(RunFolder.isFinished(one.place()));
    assertFalse(Files.exists(missing.place()));
    assertEquals(List.of(), notes);
  }

  /** A task that prints, and that a fault of ours or of a listener comes upon. */
  private record Printing(Path place, boolean fails) implements PoolTask {
    @Override
    public String name() {
      return "printing";
    }

    @Override
    public long memory() {
      return MEMORY;
    }

    @Override
    public Optional<RunEnd.Status> state() {
      return Files.exists(place) ? Optional.of(RunEnd.Status.FINISHED) : Optional.empty();
    }

    @Override
    public List<String> arguments(int threads) {
      return List.of("--version");
    }

    @Override
    public boolean keepsOutput() {
      return true;
    }

    @Override
    public void ended(String output, OptionalLong peakBytes) {
      if (fails) {
        throw new IllegalStateException("out of order");
      }
      try {
        Files.writeString(place, output);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Whatever happens to it; and who waits may be in the pool that everybody shares. */
  @Test
  void eachTaskHasAnEnd() throws Exception {
    try (ProcessPool pool = pool(2)) {
      CompletableFuture<RunEnd> fails = run(pool, new Printing(folder.resolve("fails"), true));
      CompletableFuture<RunEnd> listener =
          pool.run(
              new Printing(folder.resolve("listener"), false),
              () -> {
                throw new IllegalArgumentException("no listener");
              });
      assertEquals(RunEnd.Status.FAILED, fails.join().status());
      assertTrue(fails.join().message().contains("out of order"), fails.join().message());
      assertEquals(RunEnd.Status.FAILED, listener.join().status());
      assertTrue(listener.join().message().contains("no listener"), listener.join().message());

      CountDownLatch done = new CountDownLatch(1);
      for (int i = 0; i < ForkJoinPool.getCommonPoolParallelism(); i++) {
        ForkJoinPool.commonPool()
            .execute(
                () -> {
                  try {
                    done.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
      }
      Path printed = folder.resolve("printed");
      CompletableFuture<RunEnd> prints = run(pool, new Printing(printed, false));
      try {
        assertEquals(RunEnd.Status.FINISHED, prints.get(60, TimeUnit.SECONDS).status());
      } finally {
        done.countDown();
      }
      assertTrue(Files.readString(printed).startsWith("lora-graph "));
    }
  }

  @Test
  void aPreparationThatFailedIsTriedAgain() throws Exception {
    Path place = folder.resolve("place");
    RunSettings run =
        ExperimentFile.of(
                PROGRAM,
                "test",
                folder,
                Map.of(
                    "model",
                    "model.onnx",
                    "base",
                    Map.of("data", "train.jsonl", "steps", 1, "batch-size", 8, "engine", "graph"),
                    "runs",
                    Map.of("one", Map.of("match", "query"))))
            .runs()
            .get(0);
    RunPlace runs = new RunPlace(PROGRAM, place);
    try (ProcessPool pool = pool(1)) {
      Path inTheWay = Files.createDirectories(place).resolve("models");
      Files.writeString(inTheWay, "a file");
      RunEnd end = runs.start(pool, run, OptionalLong.empty(), () -> {}).join();
      assertTrue(end.message().contains("a part of the path is a file"), end.message());
      Files.delete(inTheWay);
      end = runs.start(pool, run, OptionalLong.empty(), () -> {}).join();
      assertEquals(RunEnd.Status.FINISHED, end.status(), end.message());
    }
  }

  /** A training that a pool sees otherwise than it is. */
  private interface Disguised extends PoolTask {
    TrainTask task();

    @Override
    default String name() {
      return task().name();
    }

    @Override
    default Path place() {
      return task().place();
    }

    @Override
    default long memory() {
      return task().memory();
    }
  }

  /** A training that a pool sees too late: at first nobody seems to be at work on it. */
  private record SeenLate(TrainTask task, AtomicInteger looks) implements Disguised {
    @Override
    public boolean isAtWork() {
      return looks.incrementAndGet() > 2 && task.isAtWork();
    }

    @Override
    public Optional<RunEnd.Status> state() {
      return task.state();
    }

    @Override
    public List<String> arguments(int threads) {
      return task.arguments(threads);
    }
  }

  /**
   * Two processes of one run begin at once: that of a pool that was killed, and that of another.
   */
  @Test
  void whoComesLaterToARunWaits() throws Exception {
    TrainTask task = task("late", "steps: 40");
    Process other =
        Trainings.start(
            folder,
            "train",
            "--config",
            folder.resolve("late.yaml").toString(),
            "-o",
            task.place().toString(),
            "--threads",
            "1");
    waitForStep(task, 3);
    // It stands still until the later one has met it: else it may be at its end before.
    signal(other, "STOP");
    try (ProcessPool pool = pool(1)) {
      CompletableFuture<RunEnd> later = run(pool, new SeenLate(task, new AtomicInteger()));
      while (!later.isDone() && !hasMetAnother(task)) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
      signal(other, "CONT");
      RunEnd end = later.join();
      assertEquals(RunEnd.Status.FINISHED, end.status(), end.message());
    }
    assertEquals(0, other.waitFor());
    assertTrue(hasMetAnother(task), Files.readString(task.log()));
  }

  private static boolean hasMetAnother(TrainTask task) throws IOException {
    return Files.exists(task.log())
        && Files.readString(task.log()).contains("another process is training in ");
  }

  private static void signal(Process process, String name) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    assertEquals(0, kill.waitFor());
  }

  /** A training that is begun, and not gone on with, where there is a run that was stopped. */
  private record BegunAnew(TrainTask task, List<String> arguments, AtomicInteger processes)
      implements Disguised {
    @Override
    public Optional<RunEnd.Status> state() {
      return Optional.empty();
    }

    @Override
    public List<String> arguments(int threads) {
      processes.incrementAndGet();
      return arguments;
    }
  }

  /** Who left it left it undone each time: it is not tried for ever. */
  @Test
  void whatIsTakenAgainAndAgainFails() throws Exception {
    TrainTask task = task("taken", "steps: 20");
    List<String> begin = task.arguments(1);
    List<Object> stopped = new ArrayList<>(begin);
    stopped.addAll(List.of("--stop-after", 1));
    Cli cli = Cli.run(stopped.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    AtomicInteger processes = new AtomicInteger();
    try (ProcessPool pool = pool(1)) {
      RunEnd end = run(pool, new BegunAnew(task, begin, processes)).join();
      assertEquals(RunEnd.Status.FAILED, end.status());
      assertTrue(end.message().contains(" is a run that was stopped"), end.message());
    }
    assertEquals(3, processes.get());
  }

  /** What a process of a killed pool has come to already is not asked for again. */
  @Test
  void whatIsMeasuredFurtherOnIsPaused() throws Exception {
    TrainTask task = task("further", "steps: 20", "eval: " + trainings.data());
    Cli cli =
        Cli.run(
            "train",
            "--config",
            folder.resolve("further.yaml"),
            "-o",
            task.place(),
            "--stop-after",
            5);
    assertEquals(0, cli.exitCode(), cli.err());
    try (ProcessPool pool = pool(1)) {
      RunEnd end = pool.run(task.stoppingAfter(1), () -> notes.add("begun")).join();
      assertEquals(RunEnd.Status.PAUSED, end.status(), end.message());
    }
    assertEquals(List.of(), notes);
  }

  /** As a user's program has it: the thread that searches is interrupted. */
  @Test
  void anInterruptStopsWithACheckpoint() throws Exception {
    TrainTask task = task("interrupted", "steps: 3000");
    ProcessPool pool = pool(1);
    CompletableFuture<RunEnd> end = run(pool, task);
    waitForStep(task, 3);
    Thread.currentThread().interrupt();
    pool.close();
    assertTrue(Thread.interrupted(), "the interrupt is not swallowed");
    assertEquals(RunEnd.Status.STOPPED, end.join().status(), end.join().message());
    assertTrue(RunFolder.hasCheckpoint(task.place()));
  }

  @Test
  void aKilledProcessIsStartedAgainAndOneThatIsStoppedGoesOn() throws Exception {
    TrainTask straight = task("straight", "steps: 90");
    TrainTask task = task("killed", "steps: 90");
    try (ProcessPool pool = pool(1)) {
      assertEquals(RunEnd.Status.FINISHED, run(pool, straight).join().status());
    }
    try (ProcessPool pool = pool(1)) {
      CompletableFuture<RunEnd> end = run(pool, task);
      waitForStep(task, 20);
      processOf(task).destroyForcibly();
      waitForStep(task, 40);
      pool.stop();
      assertEquals(RunEnd.Status.STOPPED, end.join().status(), end.join().message());
      RunEnd later = run(pool, task("later", "steps: 90")).join();
      assertEquals(RunEnd.Status.STOPPED, later.status(), "nothing is begun any more");
    }
    assertEquals(List.of("killed: its process was killed, and is started again"), notes);
    assertTrue(RunFolder.hasCheckpoint(task.place()));
    try (ProcessPool pool = pool(1)) {
      assertEquals(RunEnd.Status.FINISHED, run(pool, task).join().status());
    }
    assertSameRun(straight, task);
  }

  @Test
  void aProcessOfAKilledPoolIsWaitedFor() throws Exception {
    TrainTask straight = task("straight", "steps: 100");
    TrainTask task = task("other", "steps: 100");
    try (ProcessPool pool = pool(1)) {
      assertEquals(RunEnd.Status.FINISHED, run(pool, straight).join().status());
      Process other =
          Trainings.start(
              folder,
              "train",
              "--config",
              folder.resolve("other.yaml").toString(),
              "-o",
              task.place().toString(),
              "--threads",
              "1");
      waitForStep(task, 3);
      RunEnd end = pool.run(task, () -> notes.add("begun")).join();
      assertEquals(RunEnd.Status.FINISHED, end.status(), end.message());
      assertEquals(0, other.waitFor());
    }
    assertEquals(List.of("other: waiting for a process that is at work on it already"), notes);
    assertSameRun(straight, task);
  }
}
