package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.evaluation.ModelComparison;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.Trainability;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph inject}. */
@Command(
    name = "inject",
    header = "Puts LoRA adapters beside Linear layers.",
    description = {
      "",
      "Every Linear layer in whose module path REGEX is found gets an adapter: its output becomes"
          + " y = xW + b + alpha/rank (x lora_A) lora_B. lora_A is N(0,1)/sqrt(in), lora_B zero, so"
          + " that nothing changes at first; this is checked by running both models on an input that is"
          + " made up, where one can be. The head is"
          + " never given an adapter: it is trained in full.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph inject model.onnx --match 'query|output' --rank 8",
      "  writes model.lora.onnx beside model.onnx."
    },
    mixinStandardHelpOptions = true)
final class InjectCommand implements Callable<Integer> {
  /** Adding zero changes nothing, so this leaves room only for an operator that is not exact. */
  private static final double TOLERANCE = 1e-6;

  @Mixin private ModelArgument model;
  @Mixin private OutputFile outputFile;
  @Mixin private OutputNameOption outputName;
  @Mixin private ResultOutput output;

  @Option(
      names = "--match",
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

  @Option(names = "--alpha", description = "Scale times rank (default: the rank, so scale 1).")
  private Double alpha;

  @Option(
      names = "--head",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Which layers are the head (default: classifier, pre_classifier, score).")
  private Pattern head;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of lora_A (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Override
  public Integer call() {
    ModelFolder folder = model.folder();
    Path target = outputFile.check(folder, ".lora");
    OnnxModel original = outputName.choose(OnnxFile.read(folder.modelFile()));
    InjectionOptions options =
        new InjectionOptions(
            match,
            rank,
            alpha == null ? rank : alpha,
            head == null ? InjectionOptions.DEFAULT_HEAD : head,
            seed);
    OnnxModel injected =
        LoraGraphException.in(folder.modelFile(), () -> LoraInjector.inject(original, options));
    if (head != null && LoraMetadata.require(injected).head().isEmpty()) {
      throw new LoraGraphException(
          "--head '%s' is found in no layer's path ('lora-graph inspect %s' lists them): nothing but the adapters would be trained"
              .formatted(head, folder.modelFile()));
    }
    LoraGraphException.in(
        folder.modelFile(),
        () ->
            Trainability.check(
                injected,
                TrainableSelection.of(Method.LORA).values(injected),
                new SessionShapeInference(OrtRuntime.ofThisProcess())));
    new InjectNotes(original, match, LoraMetadata.adaptedPaths(injected)).print(output);
    OptionalDouble difference =
        ModelComparison.difference(
            original,
            injected,
            new Sessions(OrtRuntime.ofThisProcess(), 0).withoutOptimization(),
            seed,
            line -> output.say(line));
    if (!(difference.orElse(0) <= TOLERANCE)) {
      throw new LoraGraphException(
          "the outputs of %s changed by %g on injection, so nothing was written: please report the model"
              .formatted(folder.modelFile(), difference.getAsDouble()));
    }
    outputFile.write(injected, target, folder, output);

    List<String> adapted = List.copyOf(LoraMetadata.adaptedPaths(injected));
    ParameterCount before = ParameterCount.of(Parameters.of(original));
    ParameterCount after = ParameterCount.of(Parameters.of(injected));
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("adapted", adapted);
    result.put("totalParameters", after.total());
    result.put("trainableParameters", after.trainable());
    result.put("maxOutputDifference", difference.isPresent() ? difference.getAsDouble() : null);
    output.print(
        result,
        out -> {
          adapted.forEach(path -> out.println("adapted " + PlainText.line(path)));
          out.printf("%d Linear layers adapted, rank %d%n", adapted.size(), rank);
          out.println("before: " + before);
          out.println("after:  " + after);
          difference.ifPresent(d -> out.printf("largest difference of the outputs: %.3g%n", d));
          out.println("written: " + target);
        });
    return 0;
  }
}
