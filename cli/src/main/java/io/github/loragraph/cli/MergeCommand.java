package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.ModelComparison;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lora-graph merge}. */
@Command(
    name = "merge",
    header = "Folds the adapters back into the weights.",
    description = {
      "",
      "W' = W + alpha/rank lora_A lora_B in every adapted Linear layer; the adapters are gone and"
          + " the graph is as it was before the injection. Both models are run on the same input and"
          + " the largest difference is reported. MODEL may be the run folder of a training; without"
          + " it the one *.lora.onnx of the current folder is taken.",
      ""
    },
    footer = {"", "Example:", "  lora-graph merge run -o merged.onnx"},
    mixinStandardHelpOptions = true)
final class MergeCommand implements Callable<Integer> {
  /** Where merged and adapted model are further apart than this, something is wrong. */
  private static final double TOLERANCE = 1e-3;

  /** The same where weights of 16 bits round what is merged. */
  private static final double ROUNDED_TOLERANCE = 5e-2;

  @Mixin private OptionalModelArgument model;
  @Mixin private OutputFile outputFile;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    ModelFolder folder = model.injectedFolder();
    Path target = outputFile.check(folder, ".merged");
    OnnxModel adapted = OnnxFile.read(folder.modelFile());
    OnnxModel merged = LoraGraphException.in(folder.modelFile(), () -> LoraMerger.merge(adapted));
    int count = LoraMetadata.adaptedPaths(adapted).size();
    OptionalDouble difference =
        ModelComparison.difference(
            adapted, merged, device.sessions(threads, output), 0, line -> output.say(line));
    Set<ElementType> rounded = LoraMerger.rounded(adapted);
    if (!rounded.isEmpty()) {
      output.say(
          "the merged weights are rounded to %s, in which the model stores them"
              .formatted(rounded));
    }
    if (!(difference.orElse(0) <= (rounded.isEmpty() ? TOLERANCE : ROUNDED_TOLERANCE))) {
      throw new LoraGraphException(
          "merged and adapted outputs of %s differ by %g, so nothing was written: are its weights finite and of usual size?"
              .formatted(folder.modelFile(), difference.getAsDouble()));
    }
    if (LoraMerger.changesNothing(adapted)) {
      output.say(
          "the adapters of %s are untrained (every lora_B is zero), so merging changes nothing: name the run folder of a training to merge that"
              .formatted(folder.modelFile()));
    }
    outputFile.write(merged, target, folder, output);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("merged", count);
    result.put("maxOutputDifference", difference.isPresent() ? difference.getAsDouble() : null);
    output.print(
        result,
        out -> {
          out.printf("%d adapters merged%n", count);
          difference.ifPresent(d -> out.printf("largest difference of the outputs: %.3g%n", d));
          out.println("written: " + target);
        });
    return 0;
  }
}
