package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RoughTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Asks for jobs until all of them are over.
 *
 * @param describe asks the service for a job by its name
 * @param poll from one round of questions to the next
 * @param patience after which it ends, whatever the jobs do
 * @param notes takes a line for each change
 */
record JobWait(
    Function<String, JobDescription> describe,
    Duration poll,
    Duration patience,
    Consumer<String> notes) {
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  /**
   * The jobs as they were when all of them were over, or the patience.
   *
   * @throws LoraGraphException if the service refuses to say, or has not answered in all the time
   */
  List<JobDescription> all(List<String> names) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    Map<String, JobDescription> known = new LinkedHashMap<>();
    LinkedHashSet<String> open = new LinkedHashSet<>(names);
    Duration pause = poll;
    while (true) {
      @Nullable SdkException busy = null;
      for (String name : List.copyOf(open)) {
        try {
          JobDescription said = describe.apply(name);
          tell(known.put(name, said), said);
          if (said.status().isOver()) {
            open.remove(name);
          }
        } catch (SdkException e) {
          // Who has never answered is asked at the wrong place.
          boolean lost = ServiceFailure.isUnreachable(e) && known.isEmpty();
          if (lost || !ServiceFailure.isTransient(e)) {
            throw ServiceFailure.of(name, e);
          }
          busy = e;
          break;
        }
      }
      long left = end - System.nanoTime();
      if (open.isEmpty() || left <= 0) {
        return result(names, known, busy);
      }
      pause = busy == null ? poll : longer(pause);
      if (busy != null) {
        notes.accept(
            "%s; asked again in %s"
                .formatted(
                    ServiceFailure.of(open.iterator().next(), busy).getMessage(),
                    RoughTime.words(pause)));
      }
      Thread.sleep(Duration.ofNanos(Math.min(left, pause.toNanos())).toMillis() + 1);
    }
  }

  private static Duration longer(Duration pause) {
    Duration doubled = pause.multipliedBy(2);
    return doubled.compareTo(LONGEST_PAUSE) < 0
        ? doubled
        : pause.compareTo(LONGEST_PAUSE) < 0 ? LONGEST_PAUSE : pause;
  }

  private void tell(@Nullable JobDescription before, JobDescription now) {
    if (before == null || !before.state().equals(now.state())) {
      String reason = now.failure().orElse(now.status().isOver() ? "" : now.message());
      notes.accept(
          "%s: %s%s".formatted(now.name(), now.state(), reason.isEmpty() ? "" : ": " + reason));
    }
  }

  private static List<JobDescription> result(
      List<String> names, Map<String, JobDescription> known, @Nullable SdkException busy) {
    List<JobDescription> result = new ArrayList<>();
    for (String name : new LinkedHashSet<>(names)) {
      JobDescription said = known.get(name);
      if (said == null) {
        throw busy == null
            ? new LoraGraphException(name + ": there was no time to ask for it")
            : ServiceFailure.of(name, busy);
      }
      result.add(said);
    }
    return result;
  }
}
