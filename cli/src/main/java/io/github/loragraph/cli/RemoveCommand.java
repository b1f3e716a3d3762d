package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lora-graph remove}. */
@Command(
    name = "remove",
    header = "Takes the adapters out again.",
    description = {
      "",
      "What stays is the model as it was before the injection: the same nodes, the adapted"
          + " layers' weights byte for byte. What training has changed besides the adapters, the"
          + " head above all, stays changed.",
      ""
    },
    footer = {"", "Example:", "  lora-graph remove model.lora.onnx -o original.onnx"},
    mixinStandardHelpOptions = true)
final class RemoveCommand implements Callable<Integer> {
  @Mixin private ModelArgument model;
  @Mixin private OutputFile outputFile;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    ModelFolder folder = model.folder();
    Path target = outputFile.check(folder, ".removed");
    OnnxModel adapted = OnnxFile.read(folder.modelFile());
    OnnxModel removed =
        LoraGraphException.in(folder.modelFile(), () -> LoraRemover.remove(adapted));
    int count = LoraMetadata.adaptedPaths(adapted).size();
    outputFile.write(removed, target, folder, output);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("removed", count);
    output.print(
        result,
        out -> {
          out.printf("%d adapters removed%n", count);
          out.println("written: " + target);
        });
    return 0;
  }
}
