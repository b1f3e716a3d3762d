package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code lora-graph adapter import}. */
@Command(
    name = "import",
    header = "Puts an adapter of PEFT's into a model.",
    description = {
      "",
      "Reads adapter_config.json and adapter_model.safetensors of PEFT_DIR and puts each tensor"
          + " where MODEL has its layer, whatever stands before the layers' names in Python: the"
          + " model in PATH is then trained further, merged or used as any with adapters, which it"
          + " takes the place of. What has no place, and what of PEFT is not computed here, is an"
          + " error that names it. Commands that use a model take the folder itself, too: --adapter"
          + " PEFT_DIR.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph adapter import peft-adapter model.onnx -o model.lora.onnx"
    },
    mixinStandardHelpOptions = true)
final class AdapterImportCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "PEFT_DIR",
      description = "A folder that PEFT's save_pretrained has written, or a run folder.")
  private Path folder;

  @Parameters(
      index = "1",
      paramLabel = "MODEL",
      description = "An .onnx file, a model folder, or the name of a bundled model.")
  private String model;

  @Mixin private OutputFile outputFile;
  @Mixin private WeightsOption weights;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    Model base = Model.open(model).withNotes(output::say);
    Path target = outputFile.check(base, ".lora");
    Model adapted = LoraGraphException.in(folder, () -> base.withAdapter(folder));
    outputFile.write(adapted, target, weights);

    List<String> layers = adapted.adaptedLayers();
    ParameterCount count = adapted.parameterCount();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("adapted", layers);
    result.put("totalParameters", count.total());
    result.put("trainableParameters", count.trainable());
    output.print(
        result,
        out -> {
          out.printf("%d Linear layers with adapters%n", layers.size());
          out.println("parameters: " + count);
          out.println("written: " + target);
        });
    return 0;
  }
}
