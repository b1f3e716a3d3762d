package io.github.loragraph.cli;

import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.FileSession;
import io.github.loragraph.evaluation.ModelComparison;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.models.BundledModel;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.Report;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.Trainer;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.WarmUp;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.WeightDecay;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
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
  private static final double EPOCHS = 4;
  private static final int BATCH_SIZE = 16;
  private static final double LEARNING_RATE = 1e-3;
  private static final double WARM_UP = 0.1;
  private static final AdamW ADAMW = new AdamW(0.9, 0.999, 1e-8, 0.01, WeightDecay.WEIGHTS);
  private static final long SEED = 0;

  @Mixin private ResultOutput output;
  @Mixin private ThreadsOption threads;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      description = "A new folder for all files (default: quickstart, quickstart-2, ...).")
  private Path target;

  @Override
  public Integer call() {
    Path folder = target == null ? free(Path.of("quickstart")) : target;
    if (Files.exists(folder)) {
      throw new LoraGraphException(folder + " exists already: name a new folder with -o");
    }
    List<Row> trainRows = data(folder.resolve("train.tsv"));
    List<Row> evalRows = data(folder.resolve("eval.tsv"));
    LabelSet labels = LabelSet.of(trainRows.stream().map(Row::label).toList());

    output.log("1/6 all-MiniLM-L6-v2, with a head for %d classes: %s", labels.size(), labels);
    ModelFolder encoder = BundledModel.ALL_MINILM_L6_V2.unpack(ToolCache.ofThisUser());
    OnnxModel classifier =
        ClassificationHead.add(
            OnnxFile.read(encoder.modelFile()),
            labels.size(),
            ClassificationHead.Pooling.MEAN,
            SEED,
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    Path modelFile = folder.resolve("model.onnx");
    OnnxFile.write(classifier, modelFile, false);
    encoder.config().withLabels(labels).write(folder.resolve(ModelConfig.FILE), false);
    encoder.copyCompanions(folder);
    ParameterCount before = ParameterCount.of(Parameters.of(classifier));

    output.log("2/6 inject --match '%s' --rank %d", MATCH, RANK);
    OnnxModel injected =
        LoraInjector.inject(
            classifier,
            new InjectionOptions(
                Pattern.compile(MATCH), RANK, RANK, InjectionOptions.DEFAULT_HEAD, SEED));
    OnnxFile.write(injected, folder.resolve("model.lora.onnx"), false);
    ParameterCount after = ParameterCount.of(Parameters.of(injected));
    output.log("    before: %s", before);
    output.log("    after:  %s", after);

    ModelFolder files = ModelFolder.of(modelFile);
    try (ModelData data =
        new ModelData(
            files,
            classifier,
            Columns.USUAL,
            null,
            null,
            notice -> output.say(notice),
            new SessionShapeInference(OrtRuntime.ofThisProcess()))) {
      List<Example> training = data.labelled(folder.resolve("train.tsv"));
      List<Example> heldOut = data.labelled(folder.resolve("eval.tsv"));
      Report untrained = evaluate(injected, data, heldOut);
      output.log(
          "3/6 held-out accuracy before training: %.4f (%d examples)",
          untrained.score(), evalRows.size());

      output.log("4/6 train on %d examples", training.size());
      Path run = folder.resolve("run");
      TrainingJob.Result trained = train(injected, data, training, heldOut, files, run);

      output.log("5/6 merge");
      OnnxModel merged = LoraMerger.merge(trained.model());
      Path mergedFile = folder.resolve("merged").resolve("model.onnx");
      OnnxFile.write(merged, mergedFile, false);
      files.copyCompanions(mergedFile.getParent());
      double difference =
          ModelComparison.maxOutputDifference(trained.model(), merged, sessions(), SEED);

      output.log("6/6 run the merged file in a plain ONNX Runtime session");
      double mergedAccuracy;
      try (FileSession session = new FileSession(OrtRuntime.ofThisProcess(), mergedFile)) {
        mergedAccuracy =
            new Evaluator(merged.graph().requiredInputs(), data.padId())
                .evaluate(session, heldOut, data.task(), data.outputs())
                .score();
      }
      print(folder, before, after, untrained, trained.summary(), difference, mergedAccuracy);
    }
    return 0;
  }

  private static Path free(Path stem) {
    Path path = stem;
    for (int number = 2; Files.exists(path); number++) {
      path = Path.of(stem + "-" + number);
    }
    return path;
  }

  /** Unpacks a data file that comes with the tool, so that users see what one looks like. */
  private static List<Row> data(Path file) {
    String name = "quickstart/" + file.getFileName();
    AtomicFile.write(
        file,
        false,
        out -> {
          try (InputStream in = QuickstartCommand.class.getResourceAsStream(name)) {
            in.transferTo(out);
          }
        });
    return DataFile.read(file, Columns.USUAL);
  }

  private Sessions sessions() {
    return new Sessions(OrtRuntime.ofThisProcess(), threads.count());
  }

  private Report evaluate(OnnxModel model, ModelData data, List<Example> examples) {
    try (Predictor predictor = new Predictor(model, data.padId(), sessions())) {
      return predictor.evaluate(examples, data.task(), data.outputs());
    }
  }

  private TrainingJob.Result train(
      OnnxModel model,
      ModelData data,
      List<Example> training,
      List<Example> heldOut,
      ModelFolder files,
      Path run) {
    TrainerSettings settings =
        TrainerSettings.builder()
            .epochs(EPOCHS)
            .learningRate(LEARNING_RATE)
            .warmUp(WarmUp.ofShare(WARM_UP))
            .logEvery(20)
            .checkpointEvery(0)
            .batchSize(BATCH_SIZE)
            .seed(SEED)
            .build();
    TrainingJob job =
        TrainingJob.builder(model, new TrainingData(data.task(), training, heldOut, data.padId()))
            .optimization(new Optimization(ADAMW, 1, LoraDropout.NONE))
            .settings(settings)
            .engine(EngineKind.GRAPH)
            .sessions(sessions())
            .build();
    Map<String, Object> configuration = new LinkedHashMap<>();
    configuration.put("method", "lora");
    configuration.put("epochs", EPOCHS);
    configuration.put("batchSize", BATCH_SIZE);
    configuration.put("lr", LEARNING_RATE);
    configuration.put("warmupRatio", WARM_UP);
    configuration.put("weightDecay", ADAMW.weightDecay());
    configuration.put("seed", SEED);
    configuration.put("threads", threads.count());
    configuration.put("versions", Version.ofEverything(job.sessions().runtime()));
    try (RunFolder folder = RunFolder.begin(run, false, configuration)) {
      TrainingJob.Result result;
      try (ProgressListener progress = new ProgressListener(output)) {
        result = job.run(List.of(folder, progress), null);
      }
      files.copyCompanions(folder.path());
      folder.finish(result.model());
      return result;
    }
  }

  private void print(
      Path folder,
      ParameterCount before,
      ParameterCount after,
      Report untrained,
      Trainer.Summary summary,
      double difference,
      double mergedAccuracy) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("folder", folder.toString());
    result.put("totalParametersBefore", before.total());
    result.put("totalParameters", after.total());
    result.put("trainableParameters", after.trainable());
    result.put("accuracyBefore", untrained.score());
    result.put("accuracyAfter", summary.evaluation().score());
    result.put("accuracyMerged", mergedAccuracy);
    result.put("maxOutputDifference", difference);
    result.put("steps", summary.steps());
    result.put("samplesPerSecond", summary.samplesPerSecond());
    output.print(
        result,
        out -> {
          out.println("before injection: " + before);
          out.println("after injection:  " + after);
          out.printf(
              Locale.ROOT,
              "held-out accuracy: %.4f before training, %.4f after %d steps, %.4f merged%n",
              untrained.score(),
              summary.evaluation().score(),
              summary.steps(),
              mergedAccuracy);
          out.printf(
              Locale.ROOT,
              "largest difference between adapted and merged outputs: %.3g%n",
              difference);
          out.printf("files: %s%n", folder.resolve("train.tsv"));
          out.printf("       %s (with adapters, untrained)%n", folder.resolve("model.lora.onnx"));
          out.printf("       %s (the run: model, metrics, configuration)%n", folder.resolve("run"));
          out.printf("       %s (the merged model)%n", folder.resolve("merged"));
          out.printf(
              "try:   lora-graph predict %s 'my parcel has not come'%n", folder.resolve("merged"));
        });
  }
}
