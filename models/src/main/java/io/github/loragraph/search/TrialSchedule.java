package io.github.loragraph.search;

import io.github.loragraph.search.SuccessiveHalving.Progress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * The parts of a search in their order: which trial is begun or gone on with next, given what was
 * measured so far.
 *
 * <p>The same arguments and figures give the same parts, whatever order the parts are finished in:
 * decisions follow a clock of their own, on which as many workers as there are in truth need for
 * each part exactly its share of a training. A part is decided on when one of these workers is
 * free, knowing what had ended by then on that clock, and nothing else, even if more is known
 * already. The price is that a real worker waits now and then for a part that takes longer than its
 * share; the gain, that a search can be killed and begun again, and repeated, with the same trials.
 * Another number of workers makes another search.
 *
 * <p>Not safe for several threads.
 */
public final class TrialSchedule {
  private record Running(TrialPart part, double end) {}

  private final Sampler sampler;
  private final SuccessiveHalving rungs;
  private final int trials;
  private final int parallel;

  private final List<Map<String, Object>> parameters = new ArrayList<>();
  private final List<List<Double>> scores = new ArrayList<>();
  private final Map<Integer, Double> reported = new HashMap<>();
  private final PriorityQueue<Running> running =
      new PriorityQueue<>(
          Comparator.comparingDouble(Running::end)
              .thenComparingInt(running -> running.part().number()));
  private double now;
  private int parts;
  private boolean done;

  /**
   * @param trials how many are begun
   * @param parallel how many parts may be under way at once
   */
  public TrialSchedule(Sampler sampler, SuccessiveHalving rungs, int trials, int parallel) {
    this.sampler = sampler;
    this.rungs = rungs;
    this.trials = trials;
    this.parallel = parallel;
  }

  /**
   * The next part that can be begun now; empty where one that is under way has to be reported
   * first, or all is done.
   */
  public Optional<TrialPart> next() {
    while (!done) {
      Optional<TrialPart> chosen = running.size() < parallel ? choose() : Optional.empty();
      if (chosen.isPresent()) {
        TrialPart part = chosen.get();
        running.add(new Running(part, now + rungs.cost(part.rung())));
        return chosen;
      }
      Running first = running.peek();
      if (first == null) {
        done = true;
      } else if (reported.containsKey(first.part().number())) {
        running.remove();
        now = first.end();
        scores.get(first.part().trial()).add(reported.get(first.part().number()));
      } else {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** Whether everything that was to be done has been reported. Known after {@link #next}. */
  public boolean isDone() {
    return done;
  }

  /**
   * Says how a part ended.
   *
   * @param score smaller is better; NaN if it failed
   */
  public void report(TrialPart part, double score) {
    reported.put(part.number(), Double.isInfinite(score) ? Double.NaN : score);
  }

  private Optional<TrialPart> choose() {
    List<Progress> progress = progress();
    Optional<Progress> promoted = rungs.promoted(progress);
    if (promoted.isEmpty() && parameters.size() < trials) {
      Map<String, Object> proposal = sampler.propose(results());
      parameters.add(proposal);
      scores.add(new ArrayList<>());
      return Optional.of(new TrialPart(parts++, parameters.size() - 1, 0, proposal));
    }
    if (promoted.isEmpty() && running.isEmpty() && progress.stream().noneMatch(this::isWhole)) {
      promoted = rungs.furthest(progress);
    }
    return promoted.map(
        trial ->
            new TrialPart(parts++, trial.trial(), trial.rung() + 1, parameters.get(trial.trial())));
  }

  private boolean isWhole(Progress trial) {
    return trial.rung() == rungs.top() && !trial.hasFailed();
  }

  private List<Progress> progress() {
    List<Progress> progress = new ArrayList<>();
    for (int trial = 0; trial < parameters.size(); trial++) {
      progress.add(new Progress(trial, List.copyOf(scores.get(trial)), isRunning(trial)));
    }
    return progress;
  }

  private boolean isRunning(int trial) {
    return running.stream().anyMatch(running -> running.part().trial() == trial);
  }

  /** What is known of all trials that were begun, in their order. */
  public List<TrialResult> results() {
    List<TrialResult> results = new ArrayList<>();
    for (Progress trial : progress()) {
      results.add(
          new TrialResult(
              trial.trial(),
              parameters.get(trial.trial()),
              trial.rung(),
              trial.rung() < 0 ? Double.NaN : trial.scores().get(trial.rung())));
    }
    return results;
  }

  /** The best of the trials that were trained whole; empty while there is none. */
  public Optional<TrialResult> best() {
    return results().stream()
        .filter(trial -> trial.rung() == rungs.top() && !trial.isFailed())
        .min(TrialResult.BEST_FIRST);
  }
}
