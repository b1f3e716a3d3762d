package io.github.loragraph.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a run's metrics. A run that goes on may be writing the last one: it is left out
 * without a word. Immutable.
 */
final class MetricsLog {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String[] OF_STEPS = {"loss", "learningRate", "gradientNorm", "epoch"};

  private final double[] steps;
  private final Map<String, double[]> values;
  private final List<Evaluation> evaluations;
  private final int damaged;

  private MetricsLog(
      double[] steps, Map<String, double[]> values, List<Evaluation> evaluations, int damaged) {
    this.steps = steps;
    this.values = values;
    this.evaluations = evaluations;
    this.damaged = damaged;
  }

  /**
   * The figures of one evaluation.
   *
   * @param figures by their names in the line, without what all begin with; NaN where not defined
   */
  record Evaluation(long step, Map<String, Double> figures) {}

  /**
   * Reads a file; one that is not there has no lines.
   *
   * @throws LoraGraphException if it cannot be read
   */
  static MetricsLog read(Path file) {
    double[] steps = new double[1024];
    Map<String, double[]> values = new LinkedHashMap<>();
    for (String name : OF_STEPS) {
      values.put(name, new double[1024]);
    }
    int count = 0;
    List<Evaluation> evaluations = new ArrayList<>();
    int damaged = 0;
    if (Files.exists(file)) {
      // Bytes that are no UTF-8 are no reason to show nothing.
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
        String line = lines.readLine();
        while (line != null) {
          String next = lines.readLine();
          JsonNode entry = parsed(line);
          if (entry == null) {
            damaged += next == null || line.isBlank() ? 0 : 1;
          } else if (entry.has("learningRate")) {
            if (count == steps.length) {
              steps = Arrays.copyOf(steps, 2 * count);
              int room = 2 * count;
              values.replaceAll((name, old) -> Arrays.copyOf(old, room));
            }
            steps[count] = entry.get("step").asDouble();
            for (String name : OF_STEPS) {
              Objects.requireNonNull(values.get(name))[count] = number(entry.get(name));
            }
            count++;
          } else {
            evaluation(entry).ifPresent(evaluations::add);
          }
          line = next;
        }
      } catch (IOException e) {
        throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
      }
    }
    int lines = count;
    values.replaceAll((name, all) -> Arrays.copyOf(all, lines));
    return new MetricsLog(Arrays.copyOf(steps, count), values, evaluations, damaged);
  }

  private static @Nullable JsonNode parsed(String line) {
    try {
      JsonNode entry = JSON.readTree(line);
      return entry.path("step").isIntegralNumber() ? entry : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static Optional<Evaluation> evaluation(JsonNode entry) {
    Map<String, Double> figures = new LinkedHashMap<>();
    entry
        .properties()
        .forEach(
            field -> {
              String name = field.getKey();
              boolean figure = field.getValue().isNumber() || field.getValue().isNull();
              if (figure && name.startsWith("eval") && name.length() > 4) {
                figures.put(
                    Character.toLowerCase(name.charAt(4)) + name.substring(5),
                    number(field.getValue()));
              }
            });
    return figures.isEmpty()
        ? Optional.empty()
        : Optional.of(new Evaluation(entry.get("step").asLong(), figures));
  }

  private static double number(@Nullable JsonNode node) {
    return node != null && node.isNumber() ? node.asDouble() : Double.NaN;
  }

  /** The number of lines of steps. */
  int size() {
    return steps.length;
  }

  /** Lines that are no JSON of metrics, the last one not counted. */
  int damaged() {
    return damaged;
  }

  /** What the lines of steps say of something, over the steps. */
  Series ofSteps(String name) {
    return new Series(steps, values.getOrDefault(name, new double[steps.length]));
  }

  List<Evaluation> evaluations() {
    return evaluations;
  }

  /** The names of what was measured. */
  Set<String> measured() {
    Set<String> names = new LinkedHashSet<>();
    evaluations.forEach(e -> names.addAll(e.figures().keySet()));
    return names;
  }

  /** What the evaluations say of something, over the steps. */
  Series ofEvaluations(String name) {
    double[] xs = evaluations.stream().mapToDouble(Evaluation::step).toArray();
    double[] ys =
        evaluations.stream().mapToDouble(e -> e.figures().getOrDefault(name, Double.NaN)).toArray();
    return new Series(xs, ys);
  }
}
