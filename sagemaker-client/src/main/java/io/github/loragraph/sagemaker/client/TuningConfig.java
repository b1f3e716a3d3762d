package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunProgram.Part;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.sagemaker.MetricDefinition;
import io.github.loragraph.search.Choice;
import io.github.loragraph.search.IntegerRange;
import io.github.loragraph.search.Parameter;
import io.github.loragraph.search.RealRange;
import io.github.loragraph.search.SearchFile;
import io.github.loragraph.search.SearchPlan;
import io.github.loragraph.search.SearchPlan.Method;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.sagemaker.model.CategoricalParameterRange;
import software.amazon.awssdk.services.sagemaker.model.ContinuousParameterRange;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterScalingType;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTuningJobConfig;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTuningJobObjectiveType;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTuningJobStrategyType;
import software.amazon.awssdk.services.sagemaker.model.IntegerParameterRange;
import software.amazon.awssdk.services.sagemaker.model.ParameterRanges;
import software.amazon.awssdk.services.sagemaker.model.TrainingJobEarlyStoppingType;

/**
 * A search as the service tunes.
 *
 * @param config without the trainings
 * @param tuned the own names of the settings that trainings differ by
 * @param notes of what the service does otherwise, a line each
 */
record TuningConfig(HyperParameterTuningJobConfig config, Set<String> tuned, List<String> notes) {
  private static final String MODEL = "model";

  /** What the service takes. */
  private static final int MOST_TRAININGS = 1_000;

  private static final int MOST_PARALLEL = 100;
  private static final int MOST_VALUES = 30;
  private static final int MOST_PARAMETERS = 30;

  /**
   * That of a search file.
   *
   * @throws LoraGraphException if it has something that the service cannot do
   */
  static TuningConfig of(RunProgram program, SearchFile file) {
    return new Reader(program, file).read();
  }

  private record Reader(RunProgram program, SearchFile file) {
    TuningConfig read() {
      SearchPlan plan = file.plan();
      List<ContinuousParameterRange> continuous = new ArrayList<>();
      List<IntegerParameterRange> integers = new ArrayList<>();
      List<CategoricalParameterRange> categorical = new ArrayList<>();
      Set<String> tuned = new LinkedHashSet<>();
      for (Parameter parameter : plan.space().parameters()) {
        String name = name(parameter);
        tuned.add(name);
        if (parameter.domain() instanceof RealRange range) {
          requireWidth(parameter, range.low() < range.high());
          continuous.add(
              ContinuousParameterRange.builder()
                  .name(name)
                  .minValue(SettingsLayer.text(range.low()))
                  .maxValue(SettingsLayer.text(range.high()))
                  .scalingType(scaling(range.log()))
                  .build());
        } else if (parameter.domain() instanceof IntegerRange range) {
          requireWidth(parameter, range.low() < range.high());
          integers.add(
              IntegerParameterRange.builder()
                  .name(name)
                  .minValue(Long.toString(range.low()))
                  .maxValue(Long.toString(range.high()))
                  .scalingType(scaling(range.log()))
                  .build());
        } else if (parameter.domain() instanceof Choice choice) {
          if (choice.values().size() > MOST_VALUES) {
            throw failure(
                parameter, "the service takes up to %d values of a choice".formatted(MOST_VALUES));
          }
          categorical.add(
              CategoricalParameterRange.builder()
                  .name(name)
                  .values(choice.values().stream().map(value -> text(parameter, value)).toList())
                  .build());
        }
      }
      requirePlan(plan, tuned.size());
      return new TuningConfig(
          HyperParameterTuningJobConfig.builder()
              .strategy(strategy(plan.method()))
              .hyperParameterTuningJobObjective(
                  objective ->
                      objective
                          .type(
                              plan.maximize()
                                  ? HyperParameterTuningJobObjectiveType.MAXIMIZE
                                  : HyperParameterTuningJobObjectiveType.MINIMIZE)
                          .metricName(MetricDefinition.VALIDATION + plan.objective()))
              .resourceLimits(
                  limits ->
                      limits
                          .maxNumberOfTrainingJobs(plan.begun())
                          .maxParallelTrainingJobs(Math.min(plan.parallel(), plan.begun())))
              .parameterRanges(
                  ParameterRanges.builder()
                      .continuousParameterRanges(continuous.isEmpty() ? null : continuous)
                      .integerParameterRanges(integers.isEmpty() ? null : integers)
                      .categoricalParameterRanges(categorical.isEmpty() ? null : categorical)
                      .build())
              .trainingJobEarlyStoppingType(
                  prunes(plan)
                      ? TrainingJobEarlyStoppingType.AUTO
                      : TrainingJobEarlyStoppingType.OFF)
              .randomSeed(Math.toIntExact(plan.seed()))
              .build(),
          tuned,
          notes(plan));
    }

    private static boolean prunes(SearchPlan plan) {
      return plan.pruning().top() > 0;
    }

    private List<String> notes(SearchPlan plan) {
      List<String> notes = new ArrayList<>();
      if (plan.begun() < plan.trials()) {
        notes.add(
            "there are only %,d different trials, so there are no %,d"
                .formatted(plan.begun(), plan.trials()));
      }
      if (prunes(plan)) {
        notes.add(
            "pruning: the service leaves trainings by its own rule (early stopping 'Auto'), and not"
                + " by asha's rungs");
      }
      if (plan.method() == Method.TPE) {
        notes.add("method: the service proposes by its own 'Bayesian' strategy, and not by tpe");
      }
      notes.add("the best trial is not trained again with other seeds, as 'search' does");
      return notes;
    }

    private String name(Parameter parameter) {
      if (!parameter.when().isEmpty()) {
        throw failure(
            parameter,
            "'when' is nothing that the service can do: each parameter is given to all trainings");
      }
      String name = SettingsLayer.kebab(parameter.name());
      if (name.equals(MODEL) || program.isFile(Part.TRAINING, name)) {
        throw failure(
            parameter, "files come through channels, which all trainings of a tuning job share");
      }
      return Stream.of(Part.TRAINING, Part.ADAPTERS)
          .flatMap(part -> program.nameOf(part, name).stream())
          .findFirst()
          .orElse(name);
    }

    private String text(Parameter parameter, Object value) {
      try {
        return HyperparameterText.of(List.of(SettingsLayer.text(value)), ServiceText.TUNED);
      } catch (LoraGraphException e) {
        throw failure(parameter, e.getMessage());
      }
    }

    private void requireWidth(Parameter parameter, boolean wide) {
      if (!wide) {
        throw failure(parameter, "a range of one value: put it into 'base'");
      }
    }

    private void requirePlan(SearchPlan plan, int parameters) {
      if (parameters > MOST_PARAMETERS) {
        throw failure("space", "the service tunes up to %d parameters".formatted(MOST_PARAMETERS));
      }
      if (plan.begun() > MOST_TRAININGS) {
        throw failure("trials", "the service makes up to %,d".formatted(MOST_TRAININGS));
      }
      if (plan.parallel() > MOST_PARALLEL) {
        throw failure("parallel", "the service makes up to %d at once".formatted(MOST_PARALLEL));
      }
      if (plan.seed() < 0 || plan.seed() > Integer.MAX_VALUE) {
        throw failure("seed", "the service takes 0 to %,d".formatted(Integer.MAX_VALUE));
      }
      if (plan.method() == Method.GRID) {
        plan.space().parameters().stream()
            .filter(parameter -> !(parameter.domain() instanceof Choice))
            .findFirst()
            .ifPresent(
                range -> {
                  throw failure(
                      range, "the grid of the service has choices alone: list the values");
                });
        long points =
            plan.space().parameters().stream()
                .mapToLong(parameter -> parameter.domain().size())
                .reduce(1, Math::multiplyExact);
        if (points > plan.begun()) {
          throw failure(
              "trials",
              "the grid of the service is all of its %,d points, and not %,d of them"
                  .formatted(points, plan.begun()));
        }
      }
    }

    private LoraGraphException failure(Parameter parameter, String what) {
      return failure("space." + parameter.name(), what);
    }

    private LoraGraphException failure(String place, String what) {
      return new LoraGraphException("%s: %s: %s".formatted(file.file(), place, what));
    }

    private static HyperParameterScalingType scaling(boolean log) {
      return log ? HyperParameterScalingType.LOGARITHMIC : HyperParameterScalingType.LINEAR;
    }

    private static HyperParameterTuningJobStrategyType strategy(Method method) {
      return switch (method) {
        case TPE -> HyperParameterTuningJobStrategyType.BAYESIAN;
        case RANDOM -> HyperParameterTuningJobStrategyType.RANDOM;
        case GRID -> HyperParameterTuningJobStrategyType.GRID;
      };
    }
  }
}
