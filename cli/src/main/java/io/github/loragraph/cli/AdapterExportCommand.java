package io.github.loragraph.cli;

import io.github.loragraph.AdapterNaming;
import io.github.loragraph.ExportedAdapter;
import io.github.loragraph.Model;
import io.github.loragraph.PeftExportConfig;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lora-graph adapter export}. */
@Command(
    name = "export",
    header = "Writes the adapters of a model for other programs.",
    description = {
      "",
      "For PEFT: a folder with adapter_config.json and adapter_model.safetensors, as its"
          + " save_pretrained writes them; heads and what else was trained are modules_to_save."
          + " 'adapter import' reads it again, bit for bit.",
      "For ONNX Runtime: NAME.onnx_adapter, which its OrtLoraAdapter loads, and model.onnx, which"
          + " takes it, and others of the same layers, as inputs that may be left out. The scale is"
          + " in lora_B; what else was trained, the head above all, is in the file, too. What its"
          + " answers mean stands in NAME.config.json.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph adapter export run --format peft -o peft-adapter",
      "  lora-graph adapter export run --format onnxruntime -o served --name acme",
      "  lora-graph adapter export run2 --format onnxruntime -o served --name other --base served"
    },
    mixinStandardHelpOptions = true)
final class AdapterExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

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
      description = "For ONNX Runtime: the name of the adapter's file. Default: ${DEFAULT-VALUE}.")
  private String name;

  @Option(
      names = "--naming",
      paramLabel = "WHOSE",
      defaultValue = "lora-graph",
      converter = AdapterNamingConverter.class,
      completionCandidates = AdapterNamingConverter.class,
      description =
          "For ONNX Runtime: how the inputs are named: PATH.lora_A (lora-graph), PATH.lora_A.weight (olive),"
              + " PATH.lora_A.MatMul.weight (genai). Default: ${DEFAULT-VALUE}.")
  private AdapterNaming naming;

  @Option(
      names = "--base",
      paramLabel = "BASE",
      description =
          "For ONNX Runtime: a model that takes adapters already, of an earlier export or of another tool: only the"
              + " adapter is written, as that names its inputs.")
  private @Nullable Path base;

  @Option(
      names = "--base-model",
      paramLabel = "NAME",
      description = "For PEFT: what Python finds the base model by, base_model_name_or_path.")
  private @Nullable String baseModel;

  @Option(
      names = "--task-type",
      paramLabel = "TYPE",
      description =
          "For PEFT: SEQ_CLS, TOKEN_CLS, QUESTION_ANS, CAUSAL_LM, FEATURE_EXTRACTION. Default: what"
              + " the model's task is.")
  private @Nullable String taskType;

  @Option(
      names = "--prefix",
      paramLabel = "PATH",
      description =
          "For PEFT: what module paths get in front, as bert where an encoder that was exported"
              + " alone is part of a larger class in Python; '' for nothing. Default: what the"
              + " model_type in config.json says, and what an imported adapter had.")
  private @Nullable String prefix;

  @Mixin private WeightsOption weights;

  @Option(names = "--force", description = "Replace outputs that exist.")
  private boolean force;

  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    refuseOtherFormats();
    return format == AdapterFormat.PEFT ? writeForPeft() : writeForOnnxRuntime();
  }

  private void refuseOtherFormats() {
    Set<String> given = new LinkedHashSet<>();
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      given.add(option.longestName());
    }
    given.retainAll(
        format == AdapterFormat.PEFT
            ? Set.of("--name", "--naming", "--base", "--standalone")
            : Set.of("--base-model", "--task-type", "--prefix"));
    if (!given.isEmpty()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "%s is not for --format %s".formatted(String.join(", ", given), format));
    }
  }

  private int writeForPeft() {
    PeftExportConfig.Builder config = PeftExportConfig.builder();
    if (baseModel != null) {
      config.baseModel(baseModel);
    }
    if (taskType != null) {
      config.taskType(taskType);
    }
    if (prefix != null) {
      config.prefix(prefix);
    }
    ExportedAdapter written = model.open(output).exportAdapter(folder, config.build(), force);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("format", format.toString());
    result.put("output", folder.toString());
    result.put("targetModules", written.targetModules());
    result.put("modulesToSave", written.modulesToSave());
    result.put("tensors", written.tensors());
    result.put("parameters", written.parameters());
    output.print(
        result,
        out -> {
          out.println("target_modules: " + PlainText.line(written.targetModules().toString()));
          if (!written.modulesToSave().isEmpty()) {
            out.println("modules_to_save: " + PlainText.line(written.modulesToSave().toString()));
          }
          out.printf("%d tensors with %,d numbers%n", written.tensors(), written.parameters());
          out.println("written: " + folder);
        });
    return 0;
  }

  private int writeForOnnxRuntime() {
    Path plain = Path.of(name).getFileName();
    if (name.isEmpty() || plain == null || !plain.toString().equals(name)) {
      throw new LoraGraphException(
          "'%s' is no name for a file: give --name a plain one".formatted(name));
    }
    Model adapted = model.open(output);
    Path file = folder.resolve(name + OnnxAdapter.SUFFIX);
    // Before the model is written, which would be half of an export.
    AtomicFile.checkTarget(file, force);
    AtomicFile.checkTarget(OnnxAdapter.configOf(file), force);
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
