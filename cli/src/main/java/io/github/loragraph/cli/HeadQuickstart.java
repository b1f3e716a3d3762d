package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.Evaluation;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.Task;
import io.github.loragraph.TrainingArguments;
import io.github.loragraph.TrainingResult;
import io.github.loragraph.data.LabelSet;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A job whose model is the bundled encoder with a head: trained with adapters, merged, and run.
 *
 * @param task of the head
 * @param training name of the data file that is trained on
 * @param heldOut name of the one that is evaluated on
 * @param course what the training is to be beyond what all jobs have
 * @param attempt what to give {@code predict} at the end
 */
record HeadQuickstart(
    Task task,
    String training,
    String heldOut,
    UnaryOperator<TrainingArguments.Builder> course,
    String attempt) {
  private static final int BATCH_SIZE = 16;

  /**
   * A course of labelled rows.
   *
   * @param epochs of the training
   * @param learningRate the highest of the training
   */
  static UnaryOperator<TrainingArguments.Builder> epochs(int epochs, double learningRate) {
    return arguments ->
        arguments
            .numTrainEpochs(epochs)
            .trainBatchSize(BATCH_SIZE)
            .learningRate(learningRate)
            .loggingSteps(20);
  }

  /**
   * A course of few examples.
   *
   * @param examples of each class that are taken
   * @param iterations pairs of each kind that each example is the first of
   */
  static UnaryOperator<TrainingArguments.Builder> fewShot(int examples, int iterations) {
    return arguments ->
        arguments
            .fewShot(true)
            .fewShotIterations(iterations)
            .maxTrainSamplesPerClass(examples)
            .loggingSteps(10);
  }

  void run(QuickstartPlace place) {
    ResultOutput output = place.output();
    Path folder = place.folder();
    Dataset data = place.data(training);
    Dataset held = place.data(heldOut);
    InferenceArguments onCpu = place.onCpu();

    Model encoder = place.encoder();
    Model model = place.saved(encoder.addHead(head(data)), folder);
    output.log("1/6 all-MiniLM-L6-v2, %s", headOf(model));
    ParameterCount before = model.parameterCount();

    output.log("2/6 inject --match '%s' --rank %d", QuickstartPlace.MATCH, QuickstartPlace.RANK);
    Model injected =
        place.saved(
            model.inject(
                LoraConfig.builder()
                    .targetModules(QuickstartPlace.MATCH)
                    .rank(QuickstartPlace.RANK)
                    .build()),
            folder.resolve("model.lora.onnx"));
    ParameterCount after = injected.parameterCount();
    output.log("    before: %s", before);
    output.log("    after:  %s", after);

    Evaluation untrained = injected.evaluate(held, onCpu);
    output.log(
        "3/6 held-out %s before training: %.4f (%d examples)",
        untrained.scoreName(), untrained.score(), untrained.examples());

    output.log("4/6 train");
    TrainingResult trained =
        place.train(injected, data, held, course.apply(place.arguments()).build());

    output.log("5/6 merge");
    Model merged = trained.model().merge(onCpu);
    Path mergedFile = QuickstartPlace.save(merged, folder.resolve("merged"));

    output.log("6/6 run the merged file");
    Evaluation afterwards = Model.open(mergedFile).withNotes(output::say).evaluate(held, onCpu);
    print(
        place,
        before,
        after,
        untrained,
        trained,
        merged.change().orElseThrow().maxOutputDifference().orElse(0),
        afterwards.score());
  }

  private HeadConfig head(Dataset data) {
    return task.equals(Task.RERANK) ? HeadConfig.of(task, List.of()) : HeadConfig.of(task, data);
  }

  private static String headOf(Model model) {
    int classes = model.labels().size();
    return classes < 2
        ? "with a head for a score"
        : "with a head for %d classes: %s".formatted(classes, new LabelSet(model.labels()));
  }

  private void print(
      QuickstartPlace place,
      ParameterCount before,
      ParameterCount after,
      Evaluation untrained,
      TrainingResult trained,
      double difference,
      double mergedScore) {
    ResultOutput output = place.output();
    Path folder = place.folder();
    String name = untrained.scoreName();
    double score = trained.evaluation().orElseThrow().score();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("folder", folder.toString());
    result.put("totalParametersBefore", before.total());
    result.put("totalParameters", after.total());
    result.put("trainableParameters", after.trainable());
    result.put(name + "Before", untrained.score());
    result.put(name + "After", score);
    result.put(name + "Merged", mergedScore);
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
              "held-out %s: %.4f before training, %.4f after %d steps, %.4f merged%n",
              name,
              untrained.score(),
              score,
              trained.steps(),
              mergedScore);
          out.printf(
              Locale.ROOT,
              "largest difference between adapted and merged outputs: %.3g%n",
              difference);
          out.printf("files: %s%n", place.unpacked(training));
          out.printf("       %s (held out)%n", place.unpacked(heldOut));
          out.printf("       %s (with adapters, untrained)%n", folder.resolve("model.lora.onnx"));
          out.printf(
              "       %s (the run: adapter, metrics, configuration)%n", folder.resolve("run"));
          out.printf("       %s (the merged model)%n", folder.resolve("merged"));
          out.printf("try:   lora-graph predict %s %s%n", folder.resolve("merged"), attempt);
        });
  }
}
