package io.github.loragraph.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** A training step as {@code lora-graph benchmark} measures it, in a process of its own. */
record StepBenchmark(
    ReferenceModel model,
    Precision precision,
    int stepsPerCall,
    CheckedDevice device,
    Sizes sizes) {

  /**
   * What was measured.
   *
   * @param command as it would be typed; null where this build lacks an option for it
   * @param result what it printed; null where it failed or this build lacks an option for it
   * @param problem why there is no result; null where there is one
   */
  record Figure(
      StepBenchmark benchmark,
      @Nullable String command,
      @Nullable JsonNode result,
      double deviceGigabytes,
      @Nullable String problem) {
    /** A number of the result; NaN where there is none. */
    double number(String key) {
      return result == null ? Double.NaN : result.path(key).asDouble(Double.NaN);
    }
  }

  /**
   * An option with what it is without being given.
   *
   * @param neutral the value that a build without the option has anyway
   */
  private record Setting(String option, String value, String neutral) {
    boolean isNeutral() {
      return value.equals(neutral);
    }

    /** An option that can be negated is listed by its positive name. */
    boolean isKnown(CommandLine benchmark) {
      return benchmark.getCommandSpec().findOption(option) != null
          || benchmark.getCommandSpec().negatedOptionsMap().containsKey(option);
    }
  }

  private List<Setting> settings() {
    return List.of(
        new Setting("--device", device.option(), "cpu"),
        new Setting("--precision", precision.option(), "fp32"),
        new Setting(
            "--no-tf32", precision == Precision.FP32 && !device.isCpu() ? "" : "off", "off"),
        new Setting("--steps-per-call", Integer.toString(stepsPerCall), "1"));
  }

  /** The arguments for a model file, and none that this build does not know. */
  List<String> arguments(String file, CommandLine benchmark) {
    List<String> arguments = new ArrayList<>(List.of("benchmark", file));
    for (Setting setting : settings()) {
      boolean known = setting.isKnown(benchmark);
      if (!known && !setting.isNeutral()) {
        throw new LoraGraphException("this build's benchmark has no " + setting.option());
      }
      if (known && !setting.value().equals("off")) {
        arguments.add(setting.option());
        if (!setting.value().isEmpty()) {
          arguments.add(setting.value());
        }
      }
    }
    arguments.addAll(
        List.of(
            "--batch-size",
            Integer.toString(sizes.batch()),
            "--sequence",
            Integer.toString(sizes.sequence()),
            "--steps",
            Integer.toString(Math.max(sizes.steps(), stepsPerCall == 1 ? 1 : 3 * stepsPerCall)),
            "--json"));
    return arguments;
  }

  /**
   * Measures.
   *
   * @param folder where the models are
   * @param memory of the GPU; null where there is none
   */
  Figure run(Path folder, @Nullable GpuMemory memory) {
    CommandLine benchmark =
        Objects.requireNonNull(LoraGraph.commandLine().getSubcommands().get("benchmark"));
    @Nullable String command = null;
    try {
      command =
          arguments(model.file(), benchmark).stream()
              .collect(Collectors.joining(" ", "lora-graph ", ""));
      List<String> arguments = arguments(folder.resolve(model.file()).toString(), benchmark);
      ChildProcess child = ChildProcess.run(ChildProcess.loraGraph(arguments), memory);
      JsonNode result = new ObjectMapper().readTree(child.output());
      return new Figure(this, command, result, child.deviceGigabytes(), null);
    } catch (LoraGraphException e) {
      return new Figure(this, command, null, Double.NaN, e.getMessage());
    } catch (JsonProcessingException e) {
      return new Figure(this, command, null, Double.NaN, "printed no JSON object");
    }
  }
}
