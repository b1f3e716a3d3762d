package io.github.loragraph.search;

import io.github.loragraph.error.Counted;
import io.github.loragraph.experiment.RoughTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Says in a line each when a trial is begun, gone on with, or measured; hands the table on. */
final class SaidTrials implements SearchRun.Watcher {
  private final SearchPlan plan;
  private final Consumer<String> notes;
  private final Consumer<List<TrialRow>> table;
  private final TimeLeft time;

  SaidTrials(
      SearchPlan plan, TimeLeft time, Consumer<String> notes, Consumer<List<TrialRow>> table) {
    this.plan = plan;
    this.time = time;
    this.notes = notes;
    this.table = table;
  }

  @Override
  public void known(TrialPart part) {
    time.known(part);
  }

  @Override
  public void table(List<TrialRow> rows) {
    table.accept(rows);
  }

  /** {@code lr 0.0012, rank 4}. */
  static String words(Map<String, Object> parameters) {
    return parameters.entrySet().stream()
        .map(e -> e.getKey() + " " + e.getValue())
        .collect(Collectors.joining(", "));
  }

  @Override
  public void begun(TrialPart part) {
    time.begun(part);
    notes.accept(
        part.rung() == 0
            ? "trial %d of %d: %s"
                .formatted(part.trial() + 1, plan.begun(), words(part.parameters()))
            : "trial %d goes on to %s of its training"
                .formatted(part.trial() + 1, share(part.rung())));
  }

  private String share(int rung) {
    return rung == plan.pruning().top()
        ? "the end"
        : "%d %%".formatted(Math.round(100 * plan.pruning().fractions().get(rung)));
  }

  @Override
  public void ended(TrialPart part, TrialFigure figure, int best) {
    String left = "about %s left".formatted(RoughTime.words(time.ended(part)));
    if (figure.status() == TrialFigure.Status.FAILED) {
      notes.accept("trial %d failed: %s; %s".formatted(part.trial() + 1, figure.message(), left));
      return;
    }
    notes.accept(
        String.format(
            Locale.ROOT,
            "trial %d: %s %.4f after %s; %s; %s",
            part.trial() + 1,
            plan.objective(),
            figure.objective(),
            Counted.of(figure.step(), "step", "steps"),
            best == part.trial()
                ? "the best there so far"
                : "the best there is trial " + (best + 1),
            left));
  }
}
