package io.github.loragraph.experiment;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessEnd;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs processes of the program, as many at once as there are cores and memory for. They end with
 * this process: it asks them to stop, which a training does with a checkpoint. One that outlives
 * it, since it was killed, is waited for by the next pool that has the same to do. A process that
 * was killed is started again, and goes on from its checkpoint. Who makes the pool closes it.
 *
 * <p>Any number of threads may use it.
 *
 * <p>Long because what becomes of a process is decided where it is watched.
 */
public final class ProcessPool implements AutoCloseable {
  private static final long POLL_MILLIS = 100;

  /** Processes for one task, where each before was killed. */
  private static final int MOST_KILLED = 3;

  /** Processes for one task that found it taken by others, which then had left it undone. */
  private static final int MOST_TAKEN = 3;

  /** What a process that others end by force ends with: 128 and the number of SIGKILL. */
  private static final int KILLED = 137;

  /** A process that ends when it is asked to ends with 128 and the number of a signal. */
  private static final List<Integer> ASKED = List.of(129, 130, 143);

  private static final String FAILURE = "lora-graph: ";
  private static final int LOG_READ = 65_536;
  private static final double ROOM = 1.1;

  private final RunProgram program;
  private final int parallel;
  private final int threads;
  private final Consumer<String> notes;
  private final ExecutorService workers;

  /** Of the outputs that are kept: a process whose output nobody reads stands still. */
  private final ExecutorService readers;

  private final Map<Process, Long> running = new HashMap<>();

  /** What processes of an expected size came to hold. */
  private final Map<Long, Long> measured = new HashMap<>();

  private final Runnable atEnd = this::stop;
  private volatile boolean stopped;

  /**
   * @param parallel processes at once, where memory allows
   * @param threads of each
   * @param notes takes a line where a process was killed and begun again, or waits for another's
   */
  public ProcessPool(RunProgram program, int parallel, int threads, Consumer<String> notes) {
    if (parallel < 1 || threads < 1) {
      throw new IllegalArgumentException(parallel + " processes of " + threads + " threads");
    }
    this.program = program;
    this.parallel = parallel;
    this.threads = threads;
    this.notes = notes;
    this.workers = Executors.newFixedThreadPool(parallel, ProcessPool::thread);
    this.readers = Executors.newFixedThreadPool(parallel, ProcessPool::thread);
    ProcessEnd.add(atEnd);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "process of a pool");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * As many processes as there are tasks, cores, and memory for; at least one.
   *
   * @param tasks how many there are at all
   * @param memory bytes that one is expected to hold
   */
  public static int fitting(int tasks, long memory) {
    long fit = Math.max(1, FreeMemory.available() / Math.max(1, memory));
    return (int) Math.max(1, Math.min(Math.min(tasks, cores()), fit));
  }

  /** The cores of this machine, or of the part of it that this process may use. */
  public static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  /** The threads of each of several processes at once. */
  public static int threadsOfEach(int parallel) {
    return Math.max(1, cores() / parallel);
  }

  /** Processes at once. */
  public int parallel() {
    return parallel;
  }

  /** The threads of each. */
  public int threads() {
    return threads;
  }

  /**
   * Does a task as soon as there is room: those that were given first come first.
   *
   * @param begun is called in another thread when a process is started for it; not where nothing is
   *     left to do
   * @return never fails: what went wrong is in the end that it gives
   */
  public CompletableFuture<RunEnd> run(PoolTask task, Runnable begun) {
    return CompletableFuture.supplyAsync(() -> done(task, begun), workers);
  }

  private RunEnd done(PoolTask task, Runnable begun) {
    long start = System.nanoTime();
    try {
      return new Work(task, begun, start).run();
    } catch (LoraGraphException e) {
      return new RunEnd(RunEnd.Status.FAILED, e.getMessage(), System.nanoTime() - start, 0);
    } catch (InterruptedException e) {
      return new RunEnd(RunEnd.Status.STOPPED, "", System.nanoTime() - start, 0);
    } catch (IOException e) {
      return new RunEnd(
          RunEnd.Status.FAILED,
          "cannot run a process for %s: %s".formatted(task.name(), AtomicFile.reason(e)),
          System.nanoTime() - start,
          0);
    } catch (RuntimeException e) {
      return new RunEnd(RunEnd.Status.FAILED, e.toString(), System.nanoTime() - start, 0);
    }
  }

  /** One task at work. */
  private final class Work {
    private final PoolTask task;
    private final Runnable begun;
    private final long start;
    private long memory;
    private long peak;

    Work(PoolTask task, Runnable begun, long start) {
      this.task = task;
      this.begun = begun;
      this.start = start;
      this.memory = task.memory();
    }

    private RunEnd end(RunEnd.Status status, String message) {
      return new RunEnd(status, message, System.nanoTime() - start, peak);
    }

    RunEnd run() throws InterruptedException, IOException {
      boolean told = false;
      int taken = 0;
      for (int killed = 0; ; ) {
        waitForOther();
        Optional<RunEnd.Status> state = task.state();
        if (state.isPresent()) {
          return end(state.get(), "");
        }
        long from = Files.exists(task.log()) ? Files.size(task.log()) : 0;
        Started started = started();
        if (started == null) {
          return end(RunEnd.Status.STOPPED, "");
        }
        if (!told) {
          told = true;
          begun.run();
        }
        int exit = await(started);
        String output = started.output == null ? "" : started.output.join();
        if (exit == 0) {
          task.ended(output, peak == 0 ? OptionalLong.empty() : OptionalLong.of(peak));
        }
        state = task.state();
        if (state.isPresent()) {
          return end(state.get(), "");
        }
        if (stopped) {
          return end(RunEnd.Status.STOPPED, "");
        }
        if (exit == KILLED && ++killed < MOST_KILLED) {
          // By the system, where memory ran out, or by somebody.
          memory *= 2;
          notes.accept(task.name() + ": its process was killed, and is started again");
          continue;
        }
        if (!task.isAtWork()) {
          if (ASKED.contains(exit)) {
            return end(RunEnd.Status.STOPPED, "");
          }
          if (exit != RunProgram.TAKEN || ++taken == MOST_TAKEN) {
            return end(RunEnd.Status.FAILED, reason(exit, killed, from));
          }
        }
      }
    }

    /** A process of another pool, which was killed, may be at work on it still. */
    private void waitForOther() throws InterruptedException {
      boolean told = false;
      while (!stopped && task.isAtWork()) {
        if (!told) {
          told = true;
          notes.accept(task.name() + ": waiting for a process that is at work on it already");
        }
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
    }

    /** Null where the pool was stopped meanwhile. */
    private @Nullable Started started() throws InterruptedException, IOException {
      Files.createDirectories(AtomicFile.folderOf(task.log()));
      ProcessBuilder builder =
          new ProcessBuilder(JavaCommand.of(program.main(), task.arguments(threads)))
              .redirectError(ProcessBuilder.Redirect.appendTo(task.log().toFile()));
      if (!task.keepsOutput()) {
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(task.log().toFile()));
      }
      while (true) {
        synchronized (running) {
          if (stopped) {
            return null;
          }
          if (running.isEmpty() || FreeMemory.available() - promised() >= expected()) {
            Process process = builder.start();
            running.put(process, expected());
            process.getOutputStream().close();
            return new Started(
                process,
                task.keepsOutput()
                    ? CompletableFuture.supplyAsync(() -> read(process.getInputStream()), readers)
                    : null);
          }
        }
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
    }

    private long expected() {
      return Math.max(
          measured.getOrDefault(task.memory(), task.memory()), memory > task.memory() ? memory : 0);
    }

    private int await(Started started) throws InterruptedException {
      Process process = started.process;
      try {
        while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
          FreeMemory.peak(process.pid()).ifPresent(bytes -> peak = Math.max(peak, bytes));
        }
        return process.exitValue();
      } catch (InterruptedException e) {
        process.destroyForcibly();
        throw e;
      } finally {
        synchronized (running) {
          running.remove(process);
          if (peak > 0) {
            measured.merge(task.memory(), (long) (ROOM * peak), Math::max);
          }
        }
      }
    }

    private String reason(int exit, int killed, long from) {
      if (killed > 0 && exit == KILLED) {
        return "its process was killed %d times: is there too little memory?".formatted(killed);
      }
      List<String> lines = lastLines(task.log(), from);
      String last =
          lines.stream()
              .filter(line -> line.startsWith(FAILURE))
              .reduce((a, b) -> b)
              .map(line -> line.substring(FAILURE.length()))
              .orElse("");
      if (!last.isEmpty() && exit > 0 && exit <= RunProgram.TAKEN) {
        return last;
      }
      String said = lines.isEmpty() ? "" : ": " + lines.get(lines.size() - 1);
      return "its process ended with exit code %d (%s)%s".formatted(exit, task.log(), said);
    }
  }

  private record Started(Process process, @Nullable CompletableFuture<String> output) {}

  /** What processes that run have not taken yet and will. */
  private long promised() {
    long sum = 0;
    for (Map.Entry<Process, Long> entry : running.entrySet()) {
      long held = FreeMemory.held(entry.getKey().pid()).orElse(0);
      sum += Math.max(0, entry.getValue() - held);
    }
    return sum;
  }

  private static String read(InputStream in) {
    try (in) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> lastLines(Path log, long from) {
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      long begin = Math.max(from, file.length() - LOG_READ);
      byte[] bytes = new byte[(int) (file.length() - begin)];
      file.seek(begin);
      file.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank())
          .map(line -> PlainText.message(line, LoraGraphException.LONGEST_MESSAGE))
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /**
   * Asks all processes to stop, a training with a checkpoint, and begins none any more. Returns at
   * once.
   */
  public void stop() {
    synchronized (running) {
      stopped = true;
      running.keySet().forEach(Process::destroy);
    }
  }

  /** Whether it was asked to stop. */
  public boolean isStopped() {
    return stopped;
  }

  /** Stops what is at work, and waits for its end, also where the thread is interrupted. */
  @Override
  public void close() {
    stop();
    workers.shutdown();
    boolean interrupted = false;
    while (!workers.isTerminated()) {
      try {
        // A checkpoint is being written.
        workers.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    readers.shutdown();
    ProcessEnd.remove(atEnd);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
