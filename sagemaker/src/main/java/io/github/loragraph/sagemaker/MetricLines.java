package io.github.loragraph.sagemaker;

import io.github.loragraph.Evaluation;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.TrainingListener;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Prints the metrics of a training in lines that {@link MetricDefinition}s find values in: {@code
 * lora-graph metrics: step=120 validation:loss=0.3525 validation:accuracy=0.8532}. What is no
 * finite number is left out.
 */
final class MetricLines implements TrainingListener {
  private static final String BEGIN = "lora-graph metrics:";
  private static final String ACCURACY = "accuracy";

  private final PrintWriter out;
  private final boolean ofArticle;
  private long last;

  /**
   * @param ofArticle whether the accuracy is printed by the article's name, too
   */
  MetricLines(PrintWriter out, boolean ofArticle) {
    this.out = out;
    this.ofArticle = ofArticle;
  }

  @Override
  public void onResume(long step) {
    last = step;
  }

  @Override
  public void onStepEnd(StepMetrics step) {
    last = step.step();
  }

  @Override
  public void onLog(StepMetrics figures) {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put(MetricDefinition.LOSS, figures.loss());
    values.put(MetricDefinition.LEARNING_RATE, figures.learningRate());
    values.put(MetricDefinition.SAMPLES_PER_SECOND, figures.samplesPerSecond());
    print(figures.step(), values);
  }

  @Override
  public void onEvaluate(long step, Evaluation evaluation) {
    heldOut(step, evaluation.metrics());
  }

  /**
   * Prints what the training ends with: the service takes the last value of a metric for its final
   * one, and the parameters that are kept need not be the last.
   *
   * @param notes are told of figures that it cannot take
   */
  void end(Map<String, Double> metrics, Consumer<String> notes) {
    heldOut(last, metrics);
    metrics.forEach(
        (name, value) -> {
          if (!Double.isFinite(value)) {
            notes.accept(
                "%s%s is no finite number at the end: the service gets none for it that is of the end"
                    .formatted(MetricDefinition.VALIDATION, name));
          }
        });
  }

  private void heldOut(long step, Map<String, Double> metrics) {
    Map<String, Double> values = new LinkedHashMap<>();
    metrics.forEach((name, value) -> values.put(MetricDefinition.VALIDATION + name, value));
    Double accuracy = metrics.get(ACCURACY);
    if (ofArticle && accuracy != null) {
      values.put(MetricDefinition.ARTICLE, accuracy);
    }
    print(step, values);
  }

  private void print(long step, Map<String, Double> values) {
    StringBuilder line = new StringBuilder(BEGIN).append(" step=").append(step);
    int empty = line.length();
    values.forEach(
        (name, value) -> {
          if (Double.isFinite(value)) {
            line.append(' ').append(name).append('=').append(value.doubleValue());
          }
        });
    if (line.length() > empty) {
      out.println(line);
      out.flush();
    }
  }
}
