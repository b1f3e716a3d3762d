package io.github.loragraph.experiment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.task.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Measures a model as it is; what the program prints is kept in a file of the run's folder, with
 * the memory that it held.
 *
 * @param arguments but for the number of threads
 * @param ownThreads whether that is among them
 * @param place the run's folder
 */
record MeasureTask(String name, List<String> arguments, boolean ownThreads, Path place, long memory)
    implements PoolTask {
  /** What was measured. */
  static final String FILE = "eval.json";

  private static final String PEAK = "peakBytes";
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * What was measured.
   *
   * @param figures by their names, as a trained run has them
   * @param score the name of the figure that tells how good it is; empty where the file does not
   *     say it
   * @param peakBytes the most memory that the process held; empty where nobody knows
   */
  record Measured(Map<String, Double> figures, Optional<String> score, OptionalLong peakBytes) {}

  MeasureTask {
    arguments = List.copyOf(arguments);
  }

  @Override
  public boolean keepsOutput() {
    return true;
  }

  @Override
  public Optional<RunEnd.Status> state() {
    return isDone(place) ? Optional.of(RunEnd.Status.FINISHED) : Optional.empty();
  }

  /** Whether a folder has what was measured. */
  static boolean isDone(Path run) {
    return Files.isRegularFile(run.resolve(FILE));
  }

  @Override
  public List<String> arguments(int threads) {
    List<String> all = new ArrayList<>(arguments);
    if (!ownThreads) {
      all.add("--threads=" + threads);
    }
    return all;
  }

  @Override
  public void ended(String output, OptionalLong peakBytes) {
    byte[] content;
    try {
      if (!(JSON.readTree(output) instanceof ObjectNode printed)) {
        throw new LoraGraphException(name + ": what was printed is no JSON object: see " + log());
      }
      peakBytes.ifPresent(bytes -> printed.put(PEAK, bytes));
      content = JSON.writeValueAsBytes(printed);
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(name + ": what was printed is no JSON: see " + log(), e);
    }
    AtomicFile.write(place.resolve(FILE), true, out -> out.write(content));
  }

  /**
   * What was measured in a run's folder.
   *
   * @throws LoraGraphException if they cannot be read
   */
  static Measured read(Path run) {
    Path file = run.resolve(FILE);
    try {
      Map<String, Double> figures = new LinkedHashMap<>();
      JsonNode tree = JSON.readTree(Files.readAllBytes(file));
      tree.properties()
          .forEach(
              entry -> {
                boolean isFigure =
                    Tasks.ALL.stream()
                        .anyMatch(task -> task.figureNames().contains(entry.getKey()));
                if (isFigure) {
                  figures.put(entry.getKey(), entry.getValue().asDouble(Double.NaN));
                }
              });
      return new Measured(
          figures,
          Optional.of(tree.path("score").asText()).filter(name -> !name.isEmpty()),
          tree.path(PEAK).isNumber()
              ? OptionalLong.of(tree.path(PEAK).asLong())
              : OptionalLong.empty());
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          file + " is not what was measured: delete it, and it is measured again", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }
}
