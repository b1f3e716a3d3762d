package example;

import io.github.loragraph.BundledModel;
import io.github.loragraph.Dataset;
import io.github.loragraph.Embedder;
import io.github.loragraph.EmbeddingArguments;
import io.github.loragraph.Example;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.Predictor;
import io.github.loragraph.RankedDocument;
import io.github.loragraph.Task;
import io.github.loragraph.TrainingArguments;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Tunes an encoder and a reranker on questions about a manual, shortly, and writes what they answer
 * beside them, for the other projects to compare with.
 */
public final class Tune {
  private static final int STEPS = 10;

  private Tune() {}

  /**
   * Trains, and writes {@code search} and {@code reranker}.
   *
   * @param args the folder with the data
   */
  public static void main(String[] args) throws IOException {
    List<List<String>> pairs =
        Files.readAllLines(Path.of(args[0], "train.tsv")).stream()
            .skip(1)
            .map(line -> List.of(line.split("\t")))
            .toList();
    search(pairs);
    rerank(pairs);
  }

  private static void search(List<List<String>> pairs) throws IOException {
    EmbeddingArguments mean =
        EmbeddingArguments.AS_FOUND
            .withPooling(EmbeddingArguments.Pooling.MEAN)
            .withNormalize(true);
    Model tuned =
        encoder()
            .train(
                Dataset.of(pairs.stream().map(p -> Example.pair(p.get(0), p.get(1)))),
                arguments().task(Task.EMBEDDING).embedding(mean).build())
            .model()
            .merge();
    tuned.save(Path.of("search"), true);

    List<String> lines = new ArrayList<>();
    try (Embedder embedder = Model.open(Path.of("search")).embedder()) {
      for (String text : pairs.subList(0, 10).stream().flatMap(List::stream).toList()) {
        lines.add(
            "{\"text\": \"%s\", \"embedding\": %s}"
                .formatted(text, Arrays.toString(embedder.embed(text))));
      }
    }
    Files.write(Path.of("vectors.jsonl"), lines);
    System.out.println("written: search, vectors.jsonl");
  }

  private static void rerank(List<List<String>> pairs) throws IOException {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < pairs.size(); i++) {
      List<String> pair = pairs.get(i);
      String other = pairs.get((i + 1) % pairs.size()).get(1);
      examples.add(Example.pair(pair.get(0), pair.get(1)).withNegatives(other));
    }
    Model reranker =
        Model.bundled(BundledModel.ALL_MINILM_L6_V2)
            .addHead(HeadConfig.of(Task.RERANK, List.of()))
            .inject(LoraConfig.builder().targetModules("query|value").rank(8).build())
            .train(Dataset.of(examples), arguments().build())
            .model()
            .merge();
    reranker.save(Path.of("reranker"), true);

    List<String> documents = pairs.subList(0, 5).stream().map(p -> p.get(1)).toList();
    List<String> lines = new ArrayList<>();
    try (Predictor predictor = Model.open(Path.of("reranker")).predictor()) {
      for (List<String> pair : pairs.subList(0, 5)) {
        for (RankedDocument document : predictor.rank(pair.get(0), documents)) {
          lines.add(
              "{\"query\": \"%s\", \"document\": \"%s\", \"predicted_score\": %s}"
                  .formatted(pair.get(0), document.text(), document.score()));
        }
      }
    }
    Files.write(Path.of("scores.jsonl"), lines);
    System.out.println("written: reranker, scores.jsonl");
  }

  private static Model encoder() {
    return Model.bundled(BundledModel.ALL_MINILM_L6_V2)
        .inject(LoraConfig.builder().targetModules("query|value").rank(8).build());
  }

  private static TrainingArguments.Builder arguments() {
    return TrainingArguments.builder().maxSteps(STEPS).trainBatchSize(16).learningRate(1e-3);
  }
}
