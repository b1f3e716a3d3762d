package io.github.loragraph.cli;

import io.github.loragraph.artifacts.OptimizerModel;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.ModelNotes;
import io.github.loragraph.models.ModelReference;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.training.AdamW;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph artifacts}. */
@Command(
    name = "artifacts",
    header = "Writes what ONNX Runtime's training API loads.",
    description = {
      "",
      "training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint, with everything"
          + " frozen but adapters and head: for programs that train by ONNX Runtime's own training"
          + " API, on phones, in browsers or in C++. 'artifacts apply' brings home what they"
          + " learned.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph artifacts model.lora.onnx -o artifacts",
      "  lora-graph artifacts apply trained.ckpt model.lora.onnx -o trained.lora.onnx"
    },
    subcommands = ArtifactsApplyCommand.class,
    mixinStandardHelpOptions = true)
final class ArtifactsCommand implements Callable<Integer> {
  private static final List<String> OPTIONS_OF_ADAMW =
      List.of("--weight-decay", "--beta1", "--beta2", "--epsilon");

  private static final List<String> NAMES =
      List.of(
          TrainingArtifacts.TRAINING,
          TrainingArtifacts.EVALUATION,
          TrainingArtifacts.OPTIMIZER,
          TrainingArtifacts.CHECKPOINT,
          TrainingArtifacts.NOMINAL_CHECKPOINT);

  /** The optimizers that the training API has. */
  enum Optimizer {
    ADAMW,
    SGD
  }

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "An injected model, or any other with --method.")
  private @Nullable String model;

  @Mixin private OutputNameOption outputName;
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      description = "The folder to write the files into.")
  private @Nullable Path folder;

  @Option(
      names = "--loss",
      paramLabel = "LOSS",
      converter = LossConverter.class,
      completionCandidates = LossConverter.class,
      description =
          "${COMPLETION-CANDIDATES} (default: by the task in config.json, or"
              + " the model's outputs).")
  private @Nullable String loss;

  @Option(
      names = "--label-smoothing",
      paramLabel = "P",
      defaultValue = "0",
      description = "Share of a label spread over all classes (default: ${DEFAULT-VALUE}).")
  private double labelSmoothing;

  @Option(
      names = "--optimizer",
      defaultValue = "adamw",
      converter = OptimizerConverter.class,
      completionCandidates = OptimizerConverter.class,
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Optimizer optimizer;

  @Option(
      names = "--weight-decay",
      defaultValue = "0",
      description = "AdamW's, on all that is trained (default: ${DEFAULT-VALUE}).")
  private double weightDecay;

  @Option(names = "--beta1", defaultValue = "0.9", description = "AdamW's (default: 0.9).")
  private double beta1;

  @Option(names = "--beta2", defaultValue = "0.999", description = "AdamW's (default: 0.999).")
  private double beta2;

  @Option(names = "--epsilon", defaultValue = "1e-8", description = "AdamW's (default: 1e-8).")
  private double epsilon;

  @Option(
      names = "--max-grad-norm",
      defaultValue = "0",
      description = "Gradients are scaled down to this norm (default: ${DEFAULT-VALUE}: never).")
  private double maxGradNorm;

  @Option(
      names = "--method",
      defaultValue = "lora",
      converter = MethodConverter.class,
      completionCandidates = MethodConverter.class,
      description = "What to train: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Method method;

  @Option(
      names = "--trainable",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Train parameters too in whose names this is found.")
  private @Nullable Pattern trainable;

  @Option(
      names = "--untie",
      description =
          "Train the copies of a tied weight, which a file may hold several times, each for"
              + " itself.")
  private boolean untie;

  @Option(names = "--train-bias", description = "Train the biases of adapted layers, too.")
  private boolean trainBias;

  @Option(
      names = "--nominal-checkpoint",
      description = "Also write nominal_checkpoint: names without values.")
  private boolean nominal;

  @Option(
      names = "--external-data",
      description =
          "Weights of both models into one file, weights.data (models over 2 GB: always).")
  private boolean external;

  @Option(names = "--force", description = "Replace files that exist.")
  private boolean force;

  @Override
  public Integer call() {
    if (model == null) {
      throw new ParameterException(spec.commandLine(), "name a MODEL");
    }
    if (folder == null) {
      throw new ParameterException(spec.commandLine(), "name a folder for the files with -o");
    }
    Path target = folder;
    if (optimizer != Optimizer.ADAMW) {
      refuseOptionsOfAdamW();
    }
    for (String name : NAMES) {
      AtomicFile.checkTarget(target.resolve(name), force);
    }
    ModelFolder files = ModelReference.resolve(model, ToolCache.ofThisUser());
    for (String name : NAMES) {
      OutputFile.refuseInput(target.resolve(name), files);
    }
    SessionShapeInference inference = new SessionShapeInference(OrtRuntime.ofThisProcess());
    Answer answer = answer(files, inference);
    answer.notes().forEach(output::say);
    OnnxModel onnx = answer.model();
    Task task = answer.task();
    TrainableSelection selection = new TrainableSelection(method, trainable, trainBias, untie);
    Optional<AdamW> adamW =
        optimizer == Optimizer.ADAMW
            ? Optional.of(new AdamW(beta1, beta2, epsilon, weightDecay))
            : Optional.empty();
    TrainingArtifacts artifacts =
        TrainingArtifacts.of(
            onnx,
            selection.values(onnx),
            task.loss(new LossOptions(labelSmoothing, List.of(), loss), List.of()),
            new OptimizerModel(adamW, maxGradNorm),
            inference);
    ModelNotes.ofSelection(onnx, selection).forEach(line -> output.say(TrainingWords.of(line)));
    artifacts.unreached().notes().forEach(output::say);
    if (optimizer == Optimizer.ADAMW && weightDecay > 0) {
      output.say(
          "weight decay %s is on biases and normalization weights, too: the training API has one group of parameters"
              .formatted(weightDecay));
    }
    List<String> written = write(artifacts, files, target);

    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("files", written);
    result.put("inputs", inputs(artifacts));
    result.put("loss", artifacts.loss());
    result.put("logits", artifacts.logits());
    result.put(
        "trainable", artifacts.checkpoint().trainable().stream().map(t -> t.name()).toList());
    output.print(
        result,
        out -> {
          out.printf(
              "%d tensors to train, loss %s, optimizer %s%n",
              artifacts.checkpoint().trainable().size(),
              task.lossName(),
              optimizer.name().toLowerCase(Locale.ROOT));
          out.println("inputs of a step: " + String.join(", ", inputs(artifacts)));
          out.println("first output: " + artifacts.loss());
          written.forEach(name -> out.println("written: " + target.resolve(name)));
        });
    return 0;
  }

  private Answer answer(ModelFolder files, SessionShapeInference inference) {
    try {
      return Answer.of(
          outputName.choose(files.read(output::say)),
          loss == null ? Tasks.stated(files.config().problemType()) : Tasks.withLoss(loss),
          inference);
    } catch (LoraGraphException e) {
      String whole = "%s (for --loss %s)".formatted(AdviceText.message(e), loss);
      if (loss == null || whole.length() > LoraGraphException.LONGEST_MESSAGE) {
        throw e;
      }
      throw new LoraGraphException(whole, e);
    }
  }

  private List<String> write(TrainingArtifacts artifacts, ModelFolder source, Path target) {
    try (StagedFiles files = new StagedFiles(target, force)) {
      List<String> written = new ArrayList<>(artifacts.stage(target, external, nominal, files));
      ModelFolder.Companions companions = source.stageCompanions(target, files);
      files.commit();
      OutputFile.warnOfDifferent(companions, target, source, output);
      written.addAll(companions.copied());
      return written;
    }
  }

  private void refuseOptionsOfAdamW() {
    for (String option : OPTIONS_OF_ADAMW) {
      if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
        throw new ParameterException(
            spec.commandLine(), option + " is AdamW's: it does not go with --optimizer sgd");
      }
    }
  }

  private static List<String> inputs(TrainingArtifacts artifacts) {
    List<String> names = new ArrayList<>();
    artifacts.inputs().forEach(input -> names.add(input.name()));
    names.add(artifacts.labels().name());
    return names;
  }
}
