package io.github.loragraph.evaluation;

import java.util.Map;

/** How well a model does on labelled examples. */
public sealed interface Report permits ClassificationReport, MultilabelReport, RegressionReport {
  /** The number of examples, or of tokens where each has a label. */
  int examples();

  /** The mean loss, without label smoothing or class weights. */
  double loss();

  /** The name of {@link #score}, as {@link #figures} has it. */
  String scoreName();

  /** The one figure to judge by; more is better. */
  default double score() {
    return figures().get(scoreName());
  }

  /** All figures by name, the loss first. */
  Map<String, Double> figures();
}
