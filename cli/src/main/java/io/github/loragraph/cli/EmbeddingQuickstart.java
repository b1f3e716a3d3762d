package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.EmbeddingArguments;
import io.github.loragraph.Evaluation;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.Task;
import io.github.loragraph.TrainingResult;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Questions find the passages of a manual that answer them: the bundled encoder is tuned by pairs.
 */
final class EmbeddingQuickstart {
  private static final EmbeddingArguments MEAN =
      EmbeddingArguments.AS_FOUND.withPooling(EmbeddingArguments.Pooling.MEAN).withNormalize(true);

  private EmbeddingQuickstart() {}

  static void run(QuickstartPlace place) {
    ResultOutput output = place.output();
    Path folder = place.folder();
    Dataset training = place.data("embedding/train.tsv");
    Dataset heldOut =
        Dataset.search(
            place.unpack("embedding/corpus.tsv"),
            place.unpack("embedding/queries.tsv"),
            place.unpack("embedding/qrels.tsv"));

    output.log("1/3 inject --match '%s' --rank %d", QuickstartPlace.MATCH, QuickstartPlace.RANK);
    Model injected =
        place.saved(
            place
                .encoder()
                .inject(
                    LoraConfig.builder()
                        .targetModules(QuickstartPlace.MATCH)
                        .rank(QuickstartPlace.RANK)
                        .build()),
            folder.resolve("model.lora.onnx"));

    output.log("2/3 train --task embedding --pooling mean --normalize");
    TrainingResult trained =
        place.train(
            injected,
            training,
            heldOut,
            place
                .arguments()
                .task(Task.EMBEDDING)
                .embedding(MEAN)
                .numTrainEpochs(5)
                .trainBatchSize(16)
                .learningRate(5e-4)
                .loggingSteps(10)
                .build());

    output.log("3/3 merge");
    Model merged = trained.model().merge(place.onCpu());
    QuickstartPlace.save(merged, folder.resolve("merged"));
    print(place, trained, merged.change().orElseThrow().maxOutputDifference().orElse(0));
  }

  private static void print(QuickstartPlace place, TrainingResult trained, double difference) {
    Path folder = place.folder();
    Evaluation before = trained.base().orElseThrow();
    Evaluation after = trained.evaluation().orElseThrow();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("folder", folder.toString());
    result.put(before.scoreName() + "Before", before.score());
    result.put(before.scoreName() + "After", after.score());
    result.put("maxOutputDifference", difference);
    result.put("steps", trained.steps());
    result.put("samplesPerSecond", trained.samplesPerSecond());
    place
        .output()
        .print(
            result,
            out -> {
              out.printf(
                  Locale.ROOT,
                  "held-out %s: %.4f before training, %.4f after %d steps%n",
                  before.scoreName(),
                  before.score(),
                  after.score(),
                  trained.steps());
              out.printf(
                  Locale.ROOT,
                  "largest difference between adapted and merged outputs: %.3g%n",
                  difference);
              out.printf("files: %s%n", folder.resolve("train.tsv"));
              out.printf(
                  "       %s, queries.tsv, qrels.tsv (what is searched, and held out)%n",
                  folder.resolve("corpus.tsv"));
              out.printf(
                  "       %s (the run: model, metrics, configuration)%n", folder.resolve("run"));
              out.printf("       %s (the merged model)%n", folder.resolve("merged"));
            });
  }
}
