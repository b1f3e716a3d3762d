package io.github.loragraph.cli;

import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.ModelChange;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.RuntimeBuild;
import io.github.loragraph.error.PlainText;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph inject}. */
@Command(
    name = "inject",
    header = "Puts LoRA adapters beside Linear layers.",
    description = {
      "",
      "Every Linear layer in whose module path REGEX is found gets an adapter: its output becomes y"
          + " = xW + b + alpha/rank (x lora_A) lora_B. lora_A is N(0,1)/sqrt(in), lora_B zero, so"
          + " that nothing changes at first; this is checked by running both models on an input"
          + " that is made up, where one can be. The head is never given an adapter: it is trained"
          + " in full.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph inject model.onnx --match 'query|output' --rank 8",
      "  writes model.lora.onnx beside model.onnx, where it has its weights."
    },
    mixinStandardHelpOptions = true)
final class InjectCommand implements Callable<Integer> {
  @Mixin private ModelArgument model;
  @Mixin private OutputFile outputFile;
  @Mixin private WeightsOption weights;
  @Mixin private OutputNameOption outputName;
  @Mixin private ResultOutput output;

  @Option(
      names = {"--match", "--target-modules"},
      paramLabel = "REGEX",
      required = true,
      converter = RegexConverter.class,
      description = "Which Linear layers; found anywhere in the module path.")
  private Pattern match;

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
      names = {"--head", "--modules-to-save"},
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Which layers are the head (default: classifier, pre_classifier, score).")
  private @Nullable Pattern head;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of lora_A (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Override
  public Integer call() {
    RuntimeBuild.STOCK.load(); // Of GPUs nothing is needed.
    Model original = outputName.choose(model.open(output));
    Path target = outputFile.check(original, ".lora");
    LoraConfig.Builder config = LoraConfig.builder().targetModules(match).rank(rank).seed(seed);
    if (alpha != null) {
      config.alpha(alpha);
    }
    if (head != null) {
      config.modulesToSave(head);
    }
    Model injected = original.inject(config.build());
    outputFile.write(injected, target, weights);

    ModelChange change = injected.change().orElseThrow();
    OptionalDouble difference = change.maxOutputDifference();
    ParameterCount before = original.parameterCount();
    ParameterCount after = injected.parameterCount();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("adapted", change.layers());
    result.put("totalParameters", after.total());
    result.put("trainableParameters", after.trainable());
    result.put("maxOutputDifference", difference.isPresent() ? difference.getAsDouble() : null);
    output.print(
        result,
        out -> {
          change.layers().forEach(path -> out.println("adapted " + PlainText.line(path)));
          out.printf("%d Linear layers adapted, rank %d%n", change.layers().size(), rank);
          out.println("before: " + before);
          out.println("after:  " + after);
          difference.ifPresent(d -> out.printf("largest difference of the outputs: %.3g%n", d));
          out.println("written: " + target);
        });
    return 0;
  }
}
