package io.github.loragraph.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the PyTorch script measured.
 *
 * @param command as it would be typed; null where it was not run
 * @param lines what it printed, one object for each figure
 * @param problem why there are none; null where there are
 */
record PyTorchComparison(@Nullable String command, List<JsonNode> lines, @Nullable String problem) {
  /**
   * Runs the script.
   *
   * @param script null where PyTorch is not to be compared with
   */
  static PyTorchComparison run(
      String python, @Nullable Path script, CheckedDevice device, Sizes sizes, boolean quick) {
    if (script == null) {
      return new PyTorchComparison(null, List.of(), "no script was given");
    }
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--device", device.option()));
    arguments.addAll(List.of("--batch-size", Integer.toString(sizes.batch())));
    arguments.addAll(List.of("--sequence", Integer.toString(sizes.sequence())));
    arguments.addAll(List.of("--steps", Integer.toString(sizes.steps())));
    if (quick) {
      arguments.addAll(List.of("--hidden", "64", "--layers", "2"));
    }
    String shown = "%s %s %s".formatted(python, script.getFileName(), String.join(" ", arguments));
    List<String> command = new ArrayList<>(List.of(python, script.toString()));
    command.addAll(arguments);
    try {
      ObjectMapper mapper = new ObjectMapper();
      List<JsonNode> lines = new ArrayList<>();
      for (String line : ChildProcess.run(command, null).output().lines().toList()) {
        lines.add(mapper.readTree(line));
      }
      return new PyTorchComparison(shown, lines, null);
    } catch (LoraGraphException e) {
      return new PyTorchComparison(shown, List.of(), e.getMessage());
    } catch (JsonProcessingException e) {
      return new PyTorchComparison(shown, List.of(), "printed something else than JSON");
    }
  }

  /** Samples per second of a precision; NaN where it was not measured. */
  double samplesPerSecond(String mode, Precision precision) {
    for (JsonNode line : lines) {
      if (line.path("mode").asText().equals(mode)
          && line.path("precision").asText().equals(precision.label())) {
        return line.path("samplesPerSecond").asDouble(Double.NaN);
      }
    }
    return Double.NaN;
  }
}
