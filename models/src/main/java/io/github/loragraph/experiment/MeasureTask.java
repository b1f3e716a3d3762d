package io.github.loragraph.experiment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Measures a model as it is; what the program prints is kept in a file of the run's folder.
 *
 * @param arguments but for the number of threads
 * @param ownThreads whether that is among them
 * @param place the run's folder
 */
record MeasureTask(String name, List<String> arguments, boolean ownThreads, Path place, long memory)
    implements PoolTask {
  /** What was measured. */
  static final String FILE = "eval.json";

  private static final ObjectMapper JSON = new ObjectMapper();

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
  public void ended(String output) {
    AtomicFile.write(
        place.resolve(FILE), true, out -> out.write(output.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * The figures that were measured.
   *
   * @throws LoraGraphException if they cannot be read
   */
  static Map<String, Double> figures(Path run) {
    Path file = run.resolve(FILE);
    try {
      Map<String, Double> figures = new LinkedHashMap<>();
      JsonNode tree = JSON.readTree(Files.readAllBytes(file));
      tree.properties()
          .forEach(
              entry -> {
                if (entry.getValue().isNumber()) {
                  figures.put(entry.getKey(), entry.getValue().asDouble());
                }
              });
      return figures;
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          file + " is not what was measured: delete it, and it is measured again", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }
}
