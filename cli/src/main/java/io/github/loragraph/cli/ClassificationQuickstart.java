package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.Evaluation;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.Task;
import io.github.loragraph.TrainingResult;
import io.github.loragraph.data.LabelSet;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Six kinds of support messages are told apart, by a head on the bundled encoder. */
final class ClassificationQuickstart {
  private final QuickstartPlace place;
  private final ResultOutput output;
  private final Path folder;

  private ClassificationQuickstart(QuickstartPlace place) {
    this.place = place;
    this.output = place.output();
    this.folder = place.folder();
  }

  static void run(QuickstartPlace place) {
    new ClassificationQuickstart(place).run();
  }

  private void run() {
    Dataset training = place.data("train.tsv");
    Dataset heldOut = place.data("eval.tsv");
    InferenceArguments onCpu = place.onCpu();

    Model encoder = place.encoder();
    Model classifier = encoder.addHead(HeadConfig.of(Task.CLASSIFICATION, training));
    output.log(
        "1/6 all-MiniLM-L6-v2, with a head for %d classes: %s",
        classifier.labels().size(), new LabelSet(classifier.labels()));
    QuickstartPlace.save(classifier, folder);
    ParameterCount before = classifier.parameterCount();

    output.log("2/6 inject --match '%s' --rank %d", QuickstartPlace.MATCH, QuickstartPlace.RANK);
    Model injected =
        classifier.inject(
            LoraConfig.builder()
                .targetModules(QuickstartPlace.MATCH)
                .rank(QuickstartPlace.RANK)
                .build());
    QuickstartPlace.save(injected, folder.resolve("model.lora.onnx"));
    ParameterCount after = injected.parameterCount();
    output.log("    before: %s", before);
    output.log("    after:  %s", after);

    Evaluation untrained = injected.evaluate(heldOut, onCpu);
    output.log(
        "3/6 held-out accuracy before training: %.4f (%d examples)",
        untrained.score(), untrained.examples());

    output.log("4/6 train");
    TrainingResult trained =
        place.train(
            injected,
            training,
            heldOut,
            place
                .arguments()
                .numTrainEpochs(4)
                .trainBatchSize(16)
                .learningRate(1e-3)
                .loggingSteps(20)
                .build());

    output.log("5/6 merge");
    Model merged = trained.model().merge(onCpu);
    Path mergedFile = QuickstartPlace.save(merged, folder.resolve("merged"));

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
