package io.github.loragraph.cli;

import io.github.loragraph.AdapterNaming;
import io.github.loragraph.Model;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph adapter export}. */
@Command(
    name = "export",
    header = "Writes the adapters of a model for other programs.",
    description = {
      "",
      "For ONNX Runtime: NAME.onnx_adapter, which its OrtLoraAdapter loads, and model.onnx, which"
          + " takes it, and others of the same layers, as inputs that may be left out. The scale is"
          + " in lora_B; what else was trained, the head above all, is in the file, too. What its"
          + " answers mean stands in NAME.config.json.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph adapter export run --format onnxruntime -o served --name acme",
      "  lora-graph adapter export run2 --format onnxruntime -o served --name other --base served"
    },
    mixinStandardHelpOptions = true)
final class AdapterExportCommand implements Callable<Integer> {
  private static final String SUFFIX = ".onnx_adapter";

  @Mixin private ModelArgument model;

  @Option(
      names = "--format",
      required = true,
      paramLabel = "FORMAT",
      converter = AdapterFormat.Converter.class,
      completionCandidates = AdapterFormat.Converter.class,
      description = "Whose files to write: ${COMPLETION-CANDIDATES}.")
  private AdapterFormat format;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "DIR",
      description = "The folder to write into.")
  private Path folder;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "adapter",
      description = "The name of the adapter's file. Default: ${DEFAULT-VALUE}.")
  private String name;

  @Option(
      names = "--naming",
      paramLabel = "WHOSE",
      defaultValue = "lora-graph",
      converter = AdapterNamingConverter.class,
      completionCandidates = AdapterNamingConverter.class,
      description =
          "How the inputs are named: PATH.lora_A (lora-graph), PATH.lora_A.weight (olive),"
              + " PATH.lora_A.MatMul.weight (genai). Default: ${DEFAULT-VALUE}.")
  private AdapterNaming naming;

  @Option(
      names = "--base",
      paramLabel = "BASE",
      description =
          "A model that takes adapters already, of an earlier export or of another tool: only the"
              + " adapter is written, as that names its inputs.")
  private @Nullable Path base;

  @Mixin private WeightsOption weights;

  @Option(names = "--force", description = "Replace outputs that exist.")
  private boolean force;

  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    if (name.isEmpty() || !Path.of(name).getFileName().toString().equals(name)) {
      throw new LoraGraphException(
          "'%s' is no name for a file: give --name a plain one".formatted(name));
    }
    Model adapted = model.open(output);
    Path file = folder.resolve(name + SUFFIX);
    Optional<Path> written = Optional.empty();
    int inputs;
    if (base == null) {
      Model switching = adapted.withAdapterInputs(naming);
      written = Optional.of(weights.save(switching, folder, force));
      inputs = adapted.saveOnnxAdapter(file, naming, force);
    } else {
      inputs = adapted.saveOnnxAdapter(file, Model.open(base), force);
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("format", format.toString());
    result.put("output", file.toString());
    result.put("base", written.map(Path::toString).orElseGet(() -> String.valueOf(base)));
    result.put("inputs", inputs);
    Optional<Path> model = written;
    output.print(
        result,
        out -> {
          out.printf("%d inputs in the adapter%n", inputs);
          out.println("written: " + file);
          model.ifPresent(path -> out.println("written: " + path));
        });
    return 0;
  }
}
