package io.github.loragraph.task;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How well a model does on labelled examples. */
public interface Report {
  /** The figures that are errors; all others are shares, correlations and ranks. */
  Set<String> LESS_IS_BETTER = Set.of("loss", "listwiseLoss", "perplexity", "meanAbsoluteError");

  /** The number of examples, or of tokens where each has a label. */
  int examples();

  /** The mean loss, without label smoothing or class weights; NaN where there is none. */
  double loss();

  /** The name of {@link #score}, as {@link #figures} has it. */
  String scoreName();

  /** The one figure to judge by; more is better. NaN where it is not defined. */
  default double score() {
    return Objects.requireNonNull(figures().get(scoreName()));
  }

  /** All figures by name, the loss first, if there is one; NaN where one is not defined. */
  Map<String, Double> figures();

  /** The figures of each class, in the order of the logits; none where there are no classes. */
  default List<ClassFigures> classes() {
    return List.of();
  }

  /**
   * What JSON has beside the figures, by name.
   *
   * @param names of the logits
   */
  default Map<String, Object> details(List<String> names) {
    return Map.of();
  }

  /**
   * What is worth saying of the figures, a line each.
   *
   * @param names of the logits
   */
  default List<String> remarks(List<String> names) {
    return List.of();
  }

  /**
   * What people are shown below the figures.
   *
   * @param names of the logits
   */
  default List<Table> tables(List<String> names) {
    return List.of();
  }

  /** Whether less of a figure is better; of all others more is. */
  static boolean isLessBetter(String figure) {
    return LESS_IS_BETTER.contains(figure);
  }

  /** A figure as JSON has it: null where it is not defined, or no finite number. */
  static @Nullable Double finite(double figure) {
    return Double.isFinite(figure) ? figure : null;
  }

  /** The figures as JSON has them: null where one is not defined, or no finite number. */
  default Map<String, @Nullable Double> finiteFigures() {
    Map<String, @Nullable Double> finite = new LinkedHashMap<>(figures());
    finite.replaceAll((name, figure) -> finite(figure));
    return finite;
  }
}
