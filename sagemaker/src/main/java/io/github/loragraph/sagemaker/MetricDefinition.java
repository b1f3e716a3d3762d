package io.github.loragraph.sagemaker;

import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How SageMaker reads one metric out of what a training prints: {@code MetricDefinition} of its
 * service.
 *
 * @param name what the metric is called in the service, at most 255 characters
 * @param regex at most 500 characters; its first group is the value
 */
public record MetricDefinition(String name, String regex) {
  /** What the names of figures of held-out data begin with, as in SageMaker's own algorithms. */
  public static final String VALIDATION = "validation:";

  /** What the names of figures of the training begin with. */
  public static final String TRAIN = "train:";

  /** What the article that this tool grew from calls the accuracy on held-out data. */
  public static final String ARTICLE = "sst2_valid_acc";

  /** The figures of a training's log entries. */
  static final String LOSS = TRAIN + "loss";

  static final String LEARNING_RATE = TRAIN + "learning_rate";
  static final String SAMPLES_PER_SECOND = TRAIN + "samples_per_second";

  private static final String VALUE = "([-+.0-9eE]+)";

  private static MetricDefinition of(String name) {
    // In front of a name there is a blank, and behind it an equals sign: no name is part of
    // another.
    return new MetricDefinition(name, " " + escaped(name) + "=" + VALUE);
  }

  /** Without {@link Pattern#quote}, which the service's dialect does not have. */
  private static String escaped(String name) {
    return name.replace(".", "\\.");
  }

  /**
   * All metrics that a training prints, of whatever task: fewer than the 40 that the service takes
   * for a job.
   */
  public static List<MetricDefinition> all() {
    Set<String> figures = new LinkedHashSet<>();
    Stream.concat(Tasks.ALL.stream(), Stream.of(Tasks.EMBEDDING))
        .map(Task::figureNames)
        .forEach(figures::addAll);
    return Stream.of(
            Stream.of(LOSS, LEARNING_RATE, SAMPLES_PER_SECOND),
            figures.stream().map(name -> VALIDATION + name),
            Stream.of(ARTICLE))
        .flatMap(names -> names)
        .map(MetricDefinition::of)
        .toList();
  }
}
