package io.github.loragraph.cli;

import io.github.loragraph.Model;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lora-graph remove}. */
@Command(
    name = "remove",
    aliases = "unload",
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
    Model adapted = model.open(output);
    Path target = outputFile.check(adapted, ".removed");
    Model removed = adapted.unload();
    outputFile.write(removed, target);

    int count = removed.change().orElseThrow().layers().size();
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
