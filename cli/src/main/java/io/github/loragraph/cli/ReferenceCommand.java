package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ReferenceModel;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph reference}. */
@Command(
    name = "reference",
    header = "Writes a model of a known size with random weights, to measure with.",
    description = {
      "",
      "Its answers mean nothing; speed, memory and counts are those of the real one.",
      ""
    },
    footer = {"", "Example:", "  lora-graph reference roberta-base -o roberta-base"},
    mixinStandardHelpOptions = true)
final class ReferenceCommand implements Callable<Integer> {
  @picocli.CommandLine.Parameters(
      index = "0",
      paramLabel = "ARCHITECTURE",
      description =
          "roberta-base, roberta-large, distilroberta-base or gpt2-large (774 M parameters, a decoder).")
  private String architecture;

  @Mixin private ResultOutput output;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      required = true,
      description = "The model folder to write.")
  private Path target;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of the weights (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--force", description = "Replace a model in the folder.")
  private boolean force;

  @Override
  public Integer call() {
    ReferenceModel reference = ReferenceModel.named(architecture);
    Path file = target.resolve("model.onnx");
    Path configFile = target.resolve(ModelConfig.FILE);
    AtomicFile.checkTarget(file, force);
    AtomicFile.checkTarget(configFile, force);
    OnnxModel model = reference.model(seed);
    try (StagedFiles files = new StagedFiles(target, force)) {
      reference.config().stage(configFile, files);
      OnnxFile.stage(model, file, files);
      files.commit();
    }
    ParameterCount count = Model.open(target).parameterCount();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", file.toString());
    result.put("totalParameters", count.total());
    output.print(
        result,
        out -> {
          out.println(count);
          out.println("written: " + file);
        });
    return 0;
  }
}
