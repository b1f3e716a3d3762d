package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.ModelChange;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph merge}. */
@Command(
    name = "merge",
    header = "Folds the adapters back into the weights.",
    description = {
      "",
      "W' = W + alpha/rank lora_A lora_B in every adapted Linear layer; the adapters are gone and"
          + " the graph is as it was before the injection. Both models are run on the same input"
          + " and the largest difference is reported. MODEL may be the run folder of a training;"
          + " without it the one *.lora.onnx of the current folder is taken.",
      ""
    },
    footer = {"", "Example:", "  lora-graph merge run -o merged.onnx"},
    mixinStandardHelpOptions = true)
final class MergeCommand implements Callable<Integer> {
  @Mixin private OptionalModelArgument model;
  @Mixin private OutputFile outputFile;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private ResultOutput output;

  @Option(
      names = "--drop-head",
      description =
          "Of a model with a language-model head (--task masked-lm): write the encoder alone, whose"
              + " output is last_hidden_state, for --task embedding, say. add-head does so by"
              + " itself. Without adapters nothing is merged.")
  private boolean dropHead;

  @Override
  public Integer call() {
    Model adapted = model.open(output);
    Path target = outputFile.check(adapted, ".merged");
    boolean nothingToMerge = dropHead && !adapted.hasAdapters();
    Model merged = nothingToMerge ? adapted : adapted.merge(device.inference(threads).build());
    if (dropHead) {
      merged = merged.dropLanguageModelHead();
    }
    outputFile.write(merged, target);

    ModelChange change = merged.change().orElse(new ModelChange(List.of(), OptionalDouble.empty()));
    OptionalDouble difference = change.maxOutputDifference();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("merged", change.layers().size());
    result.put("headDropped", dropHead);
    result.put("maxOutputDifference", difference.isPresent() ? difference.getAsDouble() : null);
    output.print(
        result,
        out -> {
          out.printf("%d adapters merged%n", change.layers().size());
          difference.ifPresent(d -> out.printf("largest difference of the outputs: %.3g%n", d));
          if (dropHead) {
            out.println("the language-model head is dropped: the output is the encoder's states");
          }
          out.println("written: " + target);
        });
    return 0;
  }
}
