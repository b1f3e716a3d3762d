package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RoughTime;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Asks for jobs until all of them are over.
 *
 * @param service is asked for a job
 * @param poll from one round of questions to the next
 * @param patience after which it ends, whatever the jobs do; each is asked for once where it is
 *     zero
 * @param notes takes a line for each change
 */
record JobWait(Service service, Duration poll, Duration patience, Consumer<String> notes) {
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  /** What a call may take where there is no patience at all. */
  private static final Duration ONE_ANSWER = Duration.ofSeconds(10);

  /** Tells of jobs by their names. */
  @FunctionalInterface
  interface Service {
    /**
     * @param most how long a call may take that is made now
     */
    JobDescription describe(String job, Supplier<Duration> most);
  }

  /**
   * The jobs as they were when all of them were over, or the patience: what was never told has the
   * status {@link JobStatus#UNKNOWN}, and the reason as its message.
   *
   * @throws LoraGraphException if the service refuses to say, or cannot be reached and never was
   */
  List<JobDescription> all(List<String> names) throws InterruptedException {
    Round rounds = new Round(System.nanoTime() + patience.toNanos());
    names.forEach(rounds::add);
    Duration pause = poll;
    while (true) {
      rounds.ask();
      if (rounds.isOver()) {
        rounds.tellBusy("there is no time to ask again");
        return List.copyOf(rounds.known.values());
      }
      Duration left = rounds.left();
      pause = rounds.busy.isEmpty() ? poll : longer(pause);
      Duration next = pause.compareTo(left) < 0 ? pause : left;
      rounds.tellBusy("asked again in " + RoughTime.words(next));
      Thread.sleep(next.toMillis() + 1);
    }
  }

  private static Duration longer(Duration pause) {
    Duration doubled = pause.multipliedBy(2);
    return doubled.compareTo(LONGEST_PAUSE) < 0
        ? doubled
        : pause.compareTo(LONGEST_PAUSE) < 0 ? LONGEST_PAUSE : pause;
  }

  /** What is known after a round of questions. Used by one thread. */
  private final class Round {
    private final long end;
    private final Map<String, JobDescription> known = new LinkedHashMap<>();

    /** Why jobs were not told this time. */
    private final Map<String, SdkException> busy = new LinkedHashMap<>();

    private boolean isAnswered;

    Round(long end) {
      this.end = end;
    }

    void add(String name) {
      known.put(name, JobDescription.unknown(name, "there was no time to ask for it"));
    }

    Duration left() {
      return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    boolean isOver() {
      return left().isZero() || known.values().stream().allMatch(job -> job.status().isOver());
    }

    private Duration longestCall() {
      return patience.isZero() ? ONE_ANSWER : left().plusMillis(1);
    }

    /** Asks for each job that is not over, also where one before it is not told. */
    void ask() throws InterruptedException {
      busy.clear();
      for (JobDescription last : List.copyOf(known.values())) {
        String name = last.name();
        if (last.status().isOver()) {
          continue;
        }
        if (left().isZero() && !patience.isZero()) {
          return;
        }
        try {
          JobDescription said = within(longestCall(), name);
          isAnswered = true;
          known.put(name, said);
          tell(last, said);
        } catch (SdkException e) {
          boolean isUnreachable = ServiceFailure.isUnreachable(e);
          // Who has never answered is asked at the wrong place.
          boolean isInBetween = isAnswered && ServiceFailure.isNoneOfAws(e);
          if (isUnreachable && !isAnswered || !ServiceFailure.isTransient(e) && !isInBetween) {
            throw ServiceFailure.of(name, e);
          }
          busy.put(name, e);
          if (last.status() == JobStatus.UNKNOWN) {
            known.put(name, JobDescription.unknown(name, ServiceFailure.words(e)));
          }
          boolean isSilent = isUnreachable || ServiceFailure.isOutOfTime(e);
          if (isSilent && !patience.isZero()) {
            return;
          }
          isAnswered = isAnswered || !isSilent;
        }
      }
    }

    /**
     * Asks in a thread of its own, which is left behind where it takes too long: the SDK's limit
     * ends no body that stays away, and no program that credentials come from.
     */
    private JobDescription within(Duration limit, String name) throws InterruptedException {
      FutureTask<JobDescription> call =
          new FutureTask<>(() -> service.describe(name, this::longestCall));
      Thread asking = new Thread(call, "asks for " + name);
      asking.setDaemon(true);
      asking.start();
      try {
        return call.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        throw ApiCallTimeoutException.create(limit.toMillis());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        }
        if (e.getCause() instanceof Error failure) {
          throw failure;
        }
        throw new IllegalStateException(e);
      } finally {
        call.cancel(true);
      }
    }

    private void tell(JobDescription before, JobDescription now) {
      if (!before.state().equals(now.state())) {
        String reason = now.failure().orElse(now.status().isOver() ? "" : now.message());
        notes.accept(
            "%s: %s%s".formatted(now.name(), now.state(), reason.isEmpty() ? "" : ": " + reason));
      }
    }

    /** One line, whatever the number of jobs: the service has a bad time, and not they. */
    void tellBusy(String next) {
      busy.entrySet().stream()
          .findFirst()
          .ifPresent(
              first ->
                  notes.accept(
                      "%s%s: %s; %s"
                          .formatted(
                              first.getKey(),
                              busy.size() == 1 ? "" : " and %d more".formatted(busy.size() - 1),
                              ServiceFailure.words(first.getValue()),
                              next)));
    }
  }
}
