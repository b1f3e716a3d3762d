package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.task.Report;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The best of a run's evaluations so far, by one figure; of equal ones the first. It stands in
 * checkpoints. Immutable.
 *
 * @param evaluations how many there were
 * @param since how many came after the best one, none of them better
 * @param step of the best one; 0 where the figure was defined in none
 * @param metric the name of the figure; empty before the first evaluation
 * @param value the figure of the best one; NaN where it was defined in none
 * @param last the figure of the last one
 * @param figures all figures of the best one by name
 */
public record BestEvaluation(
    long evaluations,
    long since,
    long step,
    String metric,
    double value,
    double last,
    Map<String, Double> figures) {
  /** The name that stands for the figure that a report is judged by. */
  public static final String SCORE = "score";

  /** Before the first evaluation. */
  static final BestEvaluation NONE =
      new BestEvaluation(0, 0, 0, "", Double.NaN, Double.NaN, Map.of());

  private static final String EVALUATIONS = "best.evaluations";
  private static final String SINCE = "best.since";
  private static final String STEP = "best.step";
  private static final String METRIC = "best.metric";
  private static final String VALUE = "best.value";
  private static final String LAST = "best.last";
  private static final String FIGURE = "best.figure.";

  /** 1 where the parameters are kept, too; patience counts without them. */
  private static final String KEPT = "best.kept";

  public BestEvaluation {
    figures = Map.copyOf(figures);
  }

  /** That of a checkpoint, or before the first evaluation. */
  static BestEvaluation of(@Nullable Checkpoint checkpoint) {
    if (checkpoint == null || !checkpoint.properties().containsKey(EVALUATIONS)) {
      return NONE;
    }
    Map<String, Double> figures = new TreeMap<>();
    checkpoint
        .properties()
        .forEach(
            (name, value) -> {
              if (name.startsWith(FIGURE)) {
                figures.put(name.substring(FIGURE.length()), Double.parseDouble(value.toString()));
              }
            });
    return new BestEvaluation(
        (Long) property(checkpoint, EVALUATIONS),
        (Long) property(checkpoint, SINCE),
        (Long) property(checkpoint, STEP),
        (String) property(checkpoint, METRIC),
        Double.parseDouble((String) property(checkpoint, VALUE)),
        Double.parseDouble((String) property(checkpoint, LAST)),
        figures);
  }

  private static Object property(Checkpoint checkpoint, String name) {
    return Objects.requireNonNull(checkpoint.properties().get(name));
  }

  /** The step whose parameters a checkpoint refers to; 0 for none. */
  static long stepIn(Checkpoint checkpoint) {
    boolean kept = !Long.valueOf(0).equals(checkpoint.properties().get(KEPT));
    return kept && checkpoint.properties().get(STEP) instanceof Long step ? step : 0;
  }

  /**
   * Figures as text: the file's numbers are of single precision.
   *
   * @param kept whether the parameters of the best evaluation are kept beside the checkpoint
   */
  Checkpoint putInto(Checkpoint checkpoint, boolean kept) {
    if (evaluations == 0) {
      return checkpoint;
    }
    Checkpoint all =
        checkpoint
            .with(EVALUATIONS, evaluations)
            .with(SINCE, since)
            .with(STEP, step)
            .with(METRIC, metric)
            .with(VALUE, Double.toString(value))
            .with(LAST, Double.toString(last))
            .with(KEPT, kept ? 1L : 0L);
    for (Map.Entry<String, Double> figure : figures.entrySet()) {
      all = all.with(FIGURE + figure.getKey(), figure.getValue().toString());
    }
    return all;
  }

  /**
   * After one more evaluation.
   *
   * @param wanted the name of the figure that counts, or {@link #SCORE}
   * @throws LoraGraphException if the report has no figure of the name
   */
  BestEvaluation after(long evaluated, Report report, String wanted) {
    String name = wanted.equals(SCORE) ? report.scoreName() : wanted;
    Map<String, Double> all = report.figures();
    Double figure = wanted.equals(SCORE) ? Double.valueOf(report.score()) : all.get(name);
    if (figure == null) {
      throw new LoraGraphException(
          "the held-out data has no figure '%s' to choose by: it has %s"
              .formatted(name, String.join(", ", all.keySet())));
    }
    boolean better =
        !Double.isNaN(figure)
            && (Double.isNaN(value)
                || (Report.isLessBetter(name) ? figure < value : figure > value));
    return better
        ? new BestEvaluation(
            evaluations + 1, 0, evaluated, name, figure, figure, new LinkedHashMap<>(all))
        : new BestEvaluation(evaluations + 1, since + 1, step, name, value, figure, figures);
  }

  /** Whether the figure was defined in some evaluation. */
  public boolean isDefined() {
    return step > 0;
  }
}
