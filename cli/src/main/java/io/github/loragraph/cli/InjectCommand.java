package io.github.loragraph.cli;

import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.ModelChange;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.RuntimeBuild;
import io.github.loragraph.error.PlainText;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code lora-graph inject}. */
@Command(
    name = "inject",
    header = "Puts LoRA adapters beside Linear layers.",
    description = {
      "",
      "Every Linear layer in whose module path REGEX is found gets an adapter: its output becomes y"
          + " = xW + b + alpha/rank (x lora_A) lora_B. lora_A is N(0,1)/sqrt(in), lora_B zero,"
          + " unless --init says otherwise; nothing changes at first, which is checked by running"
          + " both models on an input that is made up, where one can be. The head is never given an"
          + " adapter: it is trained in full.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph inject model.onnx --match 'query|output' --rank 8",
      "  writes model.lora.onnx beside model.onnx, where it has its weights."
    },
    mixinStandardHelpOptions = true)
final class InjectCommand implements Callable<Integer>, SettingsCheck {
  @Spec private CommandSpec spec;
  @Mixin private ModelArgument model;
  @Mixin private OutputFile outputFile;
  @Mixin private WeightsOption weights;
  @Mixin private OutputNameOption outputName;
  @Mixin private ResultOutput output;

  @Option(
      names = "--match",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Which Linear layers; found anywhere in the module path.")
  private @Nullable Pattern match;

  @Option(
      names = "--target-modules",
      paramLabel = "MODULES",
      description =
          "The same as PEFT reads it: all-linear, names (query,value), or an expression for whole"
              + " paths. What means no layer so is read as --match is.")
  private @Nullable String targetModules;

  @Option(
      names = {"--exclude", "--exclude-modules"},
      paramLabel = "MODULES",
      description =
          "Which of these layers get none: names (query,value), or an expression for whole paths.")
  private @Nullable String exclude;

  @Option(
      names = {"--layers", "--layers-to-transform"},
      paramLabel = "LIST",
      converter = LayersConverter.class,
      description =
          "Only layers of these numbers, from 0, as 0,2-4: the first number in the path counts.")
  private @Nullable SortedSet<Integer> layers;

  @Option(
      names = "--layers-pattern",
      paramLabel = "NAME",
      split = ",",
      description = "What stands before the number that counts, as layer (default: any).")
  private List<String> layersPattern = List.of();

  @Option(
      names = {"-r", "--rank"},
      defaultValue = "8",
      description = "Columns of lora_A (default: ${DEFAULT-VALUE}).")
  private int rank;

  @Option(
      names = {"--alpha", "--lora-alpha"},
      paramLabel = "<alpha>",
      description = "Scale times rank (default: the rank, so scale 1).")
  private @Nullable Double alpha;

  @Option(
      names = "--rank-pattern",
      paramLabel = "KEY=RANK",
      converter = KeyedNumber.Converter.class,
      description =
          "Another rank for layers whose path ends in KEY, an expression. May be given several"
              + " times; the first that fits counts.")
  private List<KeyedNumber> rankPattern = List.of();

  @Option(
      names = "--alpha-pattern",
      paramLabel = "KEY=ALPHA",
      converter = KeyedNumber.Converter.class,
      description = "Another alpha, in the same way.")
  private List<KeyedNumber> alphaPattern = List.of();

  @Option(
      names = {"--rslora", "--use-rslora"},
      description = "Scale by alpha/sqrt(rank) instead of alpha/rank.")
  private boolean rslora;

  @Option(
      names = {"--dora", "--use-dora"},
      description =
          "Train a magnitude for each output feature as well: y = m/|W'| xW' + b, with W' = W +"
              + " scale lora_A lora_B.")
  private boolean dora;

  @Option(
      names = {"--init", "--init-lora-weights"},
      paramLabel = "<start>",
      defaultValue = "normal",
      converter = InitConverter.class,
      completionCandidates = InitConverter.class,
      description =
          "What adapters are at first: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LoraConfig.Init init;

  @Option(
      names = "--bias",
      paramLabel = "<which>",
      defaultValue = "none",
      converter = BiasConverter.class,
      completionCandidates = BiasConverter.class,
      description =
          "Which biases are trained, too: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LoraConfig.Bias bias;

  @Option(
      names = {"--head", "--modules-to-save"},
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Which layers are the head (default: classifier, pre_classifier, score).")
  private @Nullable Pattern head;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of the random numbers (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Override
  public Integer call() {
    RuntimeBuild.STOCK.load(); // Of GPUs nothing is needed.
    requireTargets();
    Model original = outputName.choose(model.open(output));
    Path target = outputFile.check(original, ".lora");
    LoraConfig config = config();
    Model injected = original.inject(config);
    outputFile.write(injected, target, weights);

    ModelChange change = injected.change().orElseThrow();
    OptionalDouble difference = change.maxOutputDifference();
    ParameterCount before = original.parameterCount();
    ParameterCount after = injected.parameterCount();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("adapted", change.layers());
    List<Integer> ranks = change.layers().stream().map(config::rankOf).distinct().sorted().toList();
    result.put(
        "ranks",
        change.layers().stream()
            .collect(
                Collectors.toMap(path -> path, config::rankOf, (a, b) -> a, LinkedHashMap::new)));
    result.put("totalParameters", after.total());
    result.put("trainableParameters", after.trainable());
    result.put("maxOutputDifference", difference.isPresent() ? difference.getAsDouble() : null);
    output.print(
        result,
        out -> {
          change
              .layers()
              .forEach(
                  path ->
                      out.println(
                          "adapted "
                              + PlainText.line(path)
                              + (ranks.size() == 1 ? "" : ", rank " + config.rankOf(path))));
          out.printf(
              "%d Linear layers adapted, rank %s%n",
              change.layers().size(),
              ranks.size() == 1
                  ? ranks.get(0)
                  : ranks.get(0) + " to " + ranks.get(ranks.size() - 1));
          out.println("before: " + before);
          out.println("after:  " + after);
          difference.ifPresent(d -> out.printf("largest difference of the outputs: %.3g%n", d));
          out.println("written: " + target);
        });
    return 0;
  }

  @Override
  public void checkSettings() {
    requireTargets();
    config();
  }

  /**
   * Refuses options that mean no layer of a model.
   *
   * @throws io.github.loragraph.error.LoraGraphException if they do
   */
  void checkOn(Model original) {
    original.targetedModules(config());
  }

  private void requireTargets() {
    if (match == null && targetModules == null) {
      throw new ParameterException(spec.commandLine(), "Missing required option: '--match=REGEX'");
    }
    if (match != null && targetModules != null) {
      throw new ParameterException(
          spec.commandLine(), "--match and --target-modules say the same: name one of them");
    }
    if (!layersPattern.isEmpty() && layers == null) {
      throw new ParameterException(
          spec.commandLine(), "--layers-pattern says nothing without --layers");
    }
  }

  private LoraConfig config() {
    LoraConfig.Builder config =
        LoraConfig.builder()
            .rank(rank)
            .seed(seed)
            .useRslora(rslora)
            .useDora(dora)
            .initLoraWeights(init)
            .bias(bias);
    if (match != null) {
      config.targetModules(match);
    } else {
      config.targetModulesAsInPeft(Objects.requireNonNull(targetModules));
    }
    if (exclude != null) {
      config.excludeModules(exclude);
    }
    if (layers != null) {
      config.layersToTransform(layers).layersPattern(layersPattern);
    }
    if (alpha != null) {
      config.alpha(alpha);
    }
    try {
      rankPattern.forEach(entry -> config.rankPattern(entry.key(), entry.whole()));
    } catch (TypeConversionException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    alphaPattern.forEach(entry -> config.alphaPattern(entry.key(), entry.number()));
    if (head != null) {
      config.modulesToSave(head);
    }
    return config.build();
  }
}
