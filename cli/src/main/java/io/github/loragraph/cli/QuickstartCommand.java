package io.github.loragraph.cli;

import io.github.loragraph.BundledModel;
import io.github.loragraph.Dataset;
import io.github.loragraph.Device;
import io.github.loragraph.Evaluation;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.RuntimeBuild;
import io.github.loragraph.Task;
import io.github.loragraph.TrainingArguments;
import io.github.loragraph.TrainingResult;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph quickstart}: each step is what the command of the same name does. */
@Command(
    name = "quickstart",
    header = "Goes the whole way on a real model, in about a minute.",
    description = {
      "",
      "Takes the bundled all-MiniLM-L6-v2, puts a head and adapters on it, trains it to tell six"
          + " kinds of support messages apart, merges the adapters and runs the merged file.",
      ""
    },
    footer = {"", "Example:", "  lora-graph quickstart -o quickstart"},
    mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
  private static final String MATCH = "query|output";
  private static final int RANK = 8;

  @Mixin private ResultOutput output;
  @Mixin private ThreadsOption threads;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      description = "A new folder for all files (default: quickstart, quickstart-2, ...).")
  private @Nullable Path target;

  @Override
  public Integer call() {
    Path folder = target == null ? free(Path.of("quickstart")) : target;
    if (Files.exists(folder)) {
      throw new LoraGraphException(folder + " exists already: name a new folder with -o");
    }
    RuntimeBuild.STOCK.load(); // Of GPUs nothing is needed.
    Dataset training = data(folder.resolve("train.tsv"));
    Dataset heldOut = data(folder.resolve("eval.tsv"));
    InferenceArguments onCpu =
        InferenceArguments.builder().device(Device.CPU).threads(threads.count()).build();

    Model encoder = Model.bundled(BundledModel.ALL_MINILM_L6_V2).withNotes(output::say);
    Model classifier = encoder.addHead(HeadConfig.of(Task.CLASSIFICATION, training));
    output.log(
        "1/6 all-MiniLM-L6-v2, with a head for %d classes: %s",
        classifier.labels().size(), new LabelSet(classifier.labels()));
    save(classifier, folder);
    ParameterCount before = classifier.parameterCount();

    output.log("2/6 inject --match '%s' --rank %d", MATCH, RANK);
    Model injected =
        classifier.inject(LoraConfig.builder().targetModules(MATCH).rank(RANK).build());
    save(injected, folder.resolve("model.lora.onnx"));
    ParameterCount after = injected.parameterCount();
    output.log("    before: %s", before);
    output.log("    after:  %s", after);

    Evaluation untrained = injected.evaluate(heldOut, onCpu);
    output.log(
        "3/6 held-out accuracy before training: %.4f (%d examples)",
        untrained.score(), untrained.examples());

    output.log("4/6 train");
    TrainingResult trained;
    try (ProgressListener progress = new ProgressListener(output)) {
      trained = injected.train(training, heldOut, arguments(folder.resolve("run")), progress);
    }

    output.log("5/6 merge");
    Model merged = trained.model().merge(onCpu);
    Path mergedFile = save(merged, folder.resolve("merged"));

    output.log("6/6 run the merged file");
    Evaluation afterwards = Model.open(mergedFile).withNotes(output::say).evaluate(heldOut, onCpu);
    print(
        folder,
        before,
        after,
        untrained,
        trained,
        merged.change().orElseThrow().maxOutputDifference().orElse(0),
        afterwards.score());
    return 0;
  }

  /** The files are listed at the end. */
  private static Path save(Model model, Path target) {
    return model.withNotes(line -> {}).save(target);
  }

  private TrainingArguments arguments(Path run) {
    return TrainingArguments.builder()
        .numTrainEpochs(4)
        .trainBatchSize(16)
        .learningRate(1e-3)
        .warmupRatio(0.1)
        .weightDecay(0.01)
        .loggingSteps(20)
        .saveSteps(0)
        .engine(TrainingArguments.Engine.GRAPH)
        .device(Device.CPU)
        .threads(threads.count())
        .outputDir(run)
        .build();
  }

  private static Path free(Path stem) {
    Path path = stem;
    for (int number = 2; Files.exists(path); number++) {
      path = Path.of(stem + "-" + number);
    }
    return path;
  }

  /** Unpacks a data file that comes with the tool, so that users see what one looks like. */
  private static Dataset data(Path file) {
    String name = "quickstart/" + file.getFileName();
    AtomicFile.write(
        file,
        false,
        out -> {
          try (InputStream in = QuickstartCommand.class.getResourceAsStream(name)) {
            in.transferTo(out);
          }
        });
    return Dataset.file(file);
  }

  private void print(
      Path folder,
      ParameterCount before,
      ParameterCount after,
      Evaluation untrained,
      TrainingResult trained,
      double difference,
      double mergedAccuracy) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("folder", folder.toString());
    result.put("totalParametersBefore", before.total());
    result.put("totalParameters", after.total());
    result.put("trainableParameters", after.trainable());
    result.put("accuracyBefore", untrained.score());
    double accuracy = trained.evaluation().orElseThrow().score();
    result.put("accuracyAfter", accuracy);
    result.put("accuracyMerged", mergedAccuracy);
    result.put("maxOutputDifference", difference);
    result.put("steps", trained.steps());
    result.put("samplesPerSecond", trained.samplesPerSecond());
    output.print(
        result,
        out -> {
          out.println("before injection: " + before);
          out.println("after injection:  " + after);
          out.printf(
              Locale.ROOT,
              "held-out accuracy: %.4f before training, %.4f after %d steps, %.4f merged%n",
              untrained.score(),
              accuracy,
              trained.steps(),
              mergedAccuracy);
          out.printf(
              Locale.ROOT,
              "largest difference between adapted and merged outputs: %.3g%n",
              difference);
          out.printf("files: %s%n", folder.resolve("train.tsv"));
          out.printf("       %s (held out)%n", folder.resolve("eval.tsv"));
          out.printf("       %s (with adapters, untrained)%n", folder.resolve("model.lora.onnx"));
          out.printf("       %s (the run: model, metrics, configuration)%n", folder.resolve("run"));
          out.printf("       %s (the merged model)%n", folder.resolve("merged"));
          out.printf(
              "try:   lora-graph predict %s 'my parcel has not come'%n", folder.resolve("merged"));
        });
  }
}
